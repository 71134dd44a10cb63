CREATE TABLE account (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	signing_key VARCHAR NOT NULL, 
	first_signing_key VARCHAR, 
	public_key VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	parent_id VARCHAR, 
	status VARCHAR NOT NULL, 
	updated_at FLOAT NOT NULL, 
	features VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	disabled VARCHAR, 
	message_limit INTEGER, 
	limit_lifted_at FLOAT, 
	clock_offset FLOAT NOT NULL, 
	clock_frozen_at FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(parent_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_parent_id ON account (parent_id);

CREATE TABLE start (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (id)
);

CREATE TABLE account_ip (
	account_id VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	band VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (account_id, ip), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE account_user (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	email VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	activated BOOLEAN NOT NULL, 
	is_disabled BOOLEAN NOT NULL, 
	is_master BOOLEAN NOT NULL, 
	tfa_enabled BOOLEAN NOT NULL, 
	time_zone VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_user_account_id ON account_user (account_id);

CREATE TABLE account_webhook (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	event_types VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_account_webhook_account_id ON account_webhook (account_id);

CREATE TABLE alert_identity (
	account_id VARCHAR NOT NULL, 
	signing_key VARCHAR NOT NULL, 
	token VARCHAR NOT NULL, 
	team_id VARCHAR, 
	team_name VARCHAR, 
	scope VARCHAR, 
	channels VARCHAR NOT NULL, 
	PRIMARY KEY (account_id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE alert_setting (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	event_type VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	disabled_at FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (account_id, event_type, channel), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE allowed_address (
	account_id VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (account_id, address), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE api_key (
	secret VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	domain_name VARCHAR, 
	requestor VARCHAR, 
	user_name VARCHAR, 
	user_id VARCHAR, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	expires_at FLOAT, 
	disabled_reason VARCHAR, 
	deleted BOOLEAN NOT NULL, 
	PRIMARY KEY (secret), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_api_key_account_id ON api_key (account_id);

CREATE INDEX ix_api_key_id ON api_key (id);

CREATE TABLE blocklisting (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	blocklist VARCHAR NOT NULL, 
	comments VARCHAR NOT NULL, 
	rejects BOOLEAN NOT NULL, 
	first_seen FLOAT NOT NULL, 
	until FLOAT, 
	delisted_at FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_blocklisting_account_id ON blocklisting (account_id);

CREATE TABLE code_analysis (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	html VARCHAR NOT NULL, 
	found VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_code_analysis_account_id ON code_analysis (account_id);

CREATE TABLE domain (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	state VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	automatic BOOLEAN NOT NULL, 
	spam_action VARCHAR NOT NULL, 
	wildcard BOOLEAN NOT NULL, 
	require_tls BOOLEAN NOT NULL, 
	skip_verification BOOLEAN NOT NULL, 
	use_automatic_sender_security BOOLEAN NOT NULL, 
	encrypt_incoming_message BOOLEAN NOT NULL, 
	web_scheme VARCHAR NOT NULL, 
	web_prefix VARCHAR NOT NULL, 
	message_ttl INTEGER NOT NULL, 
	archive_to VARCHAR, 
	mailfrom_host VARCHAR, 
	dkim_host VARCHAR, 
	dkim_key_size INTEGER NOT NULL, 
	authority VARCHAR NOT NULL, 
	pool_id VARCHAR, 
	ips VARCHAR NOT NULL, 
	open_active BOOLEAN NOT NULL, 
	open_at_top BOOLEAN NOT NULL, 
	click_active VARCHAR NOT NULL, 
	unsubscribe_active BOOLEAN NOT NULL, 
	html_footer VARCHAR NOT NULL, 
	text_footer VARCHAR NOT NULL, 
	rotation_enabled BOOLEAN NOT NULL, 
	rotation_interval INTEGER NOT NULL, 
	verified BOOLEAN NOT NULL, 
	dns VARCHAR NOT NULL, 
	checked VARCHAR NOT NULL, 
	disabled VARCHAR, 
	deleted BOOLEAN NOT NULL, 
	verify_window FLOAT NOT NULL, 
	verify_count INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (account_id, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE dynamic_pool (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	ips VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (account_id, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE dynamic_pool_move (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	domain_name VARCHAR NOT NULL, 
	new_band VARCHAR NOT NULL, 
	prev_band VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	bounce_rate FLOAT NOT NULL, 
	complaint_rate FLOAT NOT NULL, 
	processed_count INTEGER NOT NULL, 
	initiated_by VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX dynamic_pool_move_of_account ON dynamic_pool_move (account_id, at);

CREATE TABLE email_preview (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	reference_id VARCHAR NOT NULL, 
	customer_id VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	html VARCHAR NOT NULL, 
	headers VARCHAR NOT NULL, 
	clients VARCHAR NOT NULL, 
	image_blocking BOOLEAN NOT NULL, 
	reprocesses INTEGER NOT NULL, 
	bounce VARCHAR NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_email_preview_account_id ON email_preview (account_id);

CREATE TABLE export (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	search VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	content BLOB NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_export_account_id ON export (account_id);

CREATE TABLE fault (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	wanted VARCHAR NOT NULL, 
	does VARCHAR NOT NULL, 
	times INTEGER, 
	seen INTEGER NOT NULL, 
	hits INTEGER NOT NULL, 
	used INTEGER NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX fault_order ON fault (account_id, position);

CREATE TABLE former_domain (
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (account_id, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE ip_pool (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_ip_pool_account_id ON ip_pool (account_id);

CREATE TABLE ip_pool_delegation (
	account_id VARCHAR NOT NULL, 
	pool_id VARCHAR NOT NULL, 
	PRIMARY KEY (account_id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE ip_warmup (
	account_id VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	started_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	stage INTEGER NOT NULL, 
	stage_started_at FLOAT NOT NULL, 
	start_volume INTEGER NOT NULL, 
	sent INTEGER NOT NULL, 
	first_sent_at FLOAT NOT NULL, 
	hour_started_at FLOAT NOT NULL, 
	sent_in_hour INTEGER NOT NULL, 
	history VARCHAR NOT NULL, 
	PRIMARY KEY (account_id, ip), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE mailing_list (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	spelled VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	access_level VARCHAR NOT NULL, 
	reply_preference VARCHAR NOT NULL, 
	list_id VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (account_id, address), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE monitored_domain (
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	txt_record VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	verified_at FLOAT NOT NULL, 
	PRIMARY KEY (account_id, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE monitored_ip (
	account_id VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	ip_pool VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (account_id, ip), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE outcome_rule (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	wanted VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	times INTEGER, 
	seen INTEGER NOT NULL, 
	hits INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX outcome_rule_order ON outcome_rule (account_id, position);

CREATE TABLE route (
	number INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	priority INTEGER NOT NULL, 
	description VARCHAR NOT NULL, 
	expression VARCHAR NOT NULL, 
	actions VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX route_order ON route (account_id, priority, number);

CREATE TABLE sandbox_recipient (
	account_id VARCHAR NOT NULL, 
	email VARCHAR NOT NULL, 
	activated BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (account_id, email), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE seed_list (
	kid VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	target_email VARCHAR NOT NULL, 
	sending_domains VARCHAR NOT NULL, 
	seed_filter VARCHAR NOT NULL, 
	provider_filter VARCHAR NOT NULL, 
	max_seeds_per_provider INTEGER NOT NULL, 
	remote_id VARCHAR NOT NULL, 
	automatic BOOLEAN NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	seeds VARCHAR NOT NULL, 
	previous VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	grown_at FLOAT NOT NULL, 
	PRIMARY KEY (kid), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_seed_list_account_id ON seed_list (account_id);

CREATE INDEX ix_seed_list_target_email ON seed_list (target_email);

CREATE TABLE threshold (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	metric VARCHAR NOT NULL, 
	comparator VARCHAR NOT NULL, 
	"limit" VARCHAR NOT NULL, 
	dimension VARCHAR NOT NULL, 
	period VARCHAR NOT NULL, 
	description VARCHAR, 
	alert_channels VARCHAR NOT NULL, 
	filters VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT, 
	last_checked FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (account_id, kind, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE TABLE validation_job (
	id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	quantity INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	records_processed INTEGER NOT NULL, 
	summary VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	finished_at FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX ix_validation_job_account_id ON validation_job (account_id);

CREATE TABLE certificate (
	domain_id VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pem VARCHAR, 
	private_pem VARCHAR, 
	expires_at FLOAT, 
	processing BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (domain_id, host), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE dimension_count (
	domain_id VARCHAR NOT NULL, 
	hour INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	tags VARCHAR NOT NULL, 
	recipient_domain VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	ip_pool VARCHAR NOT NULL, 
	country VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	bot VARCHAR NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (domain_id, hour, metric, tags, recipient_domain, ip, ip_pool, country, device, bot), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE domain_key (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	selector VARCHAR NOT NULL, 
	bits INTEGER NOT NULL, 
	private_pem VARCHAR NOT NULL, 
	public VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	checked VARCHAR, 
	automatic BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (domain_id, selector), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE domain_webhook (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (domain_id, event, url), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE dynamic_pool_domain (
	domain_id VARCHAR NOT NULL, 
	registered_at FLOAT NOT NULL, 
	override BOOLEAN NOT NULL, 
	check_at FLOAT, 
	PRIMARY KEY (domain_id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE event (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	type VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	recipient VARCHAR NOT NULL, 
	message_id VARCHAR NOT NULL, 
	payload VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE INDEX event_recipient ON event (domain_id, recipient, at);

CREATE INDEX event_type ON event (domain_id, type, at, id);

CREATE INDEX ix_event_message_id ON event (message_id);

CREATE TABLE event_tag (
	domain_id VARCHAR NOT NULL, 
	tag VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	event_id INTEGER NOT NULL, 
	PRIMARY KEY (domain_id, tag, at, event_id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE hour_count (
	domain_id VARCHAR NOT NULL, 
	metric VARCHAR NOT NULL, 
	hour INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (domain_id, metric, hour), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE ip_pool_ip (
	pool_id VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	linked_at FLOAT NOT NULL, 
	PRIMARY KEY (pool_id, ip), 
	FOREIGN KEY(pool_id) REFERENCES ip_pool (id) ON DELETE CASCADE
);

CREATE TABLE job (
	id INTEGER NOT NULL, 
	account_id VARCHAR NOT NULL, 
	domain_id VARCHAR, 
	at FLOAT NOT NULL, 
	due_at FLOAT NOT NULL, 
	step VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	attempt INTEGER NOT NULL, 
	lane VARCHAR NOT NULL, 
	taken BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE INDEX job_due ON job (due_at, at) WHERE NOT taken;

CREATE INDEX job_of_account ON job (account_id, at);

CREATE TABLE list_member (
	mailing_list_id VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	spelled VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	vars VARCHAR NOT NULL, 
	subscribed BOOLEAN NOT NULL, 
	PRIMARY KEY (mailing_list_id, address), 
	FOREIGN KEY(mailing_list_id) REFERENCES mailing_list (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE list_upload (
	task_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	mailing_list_id VARCHAR NOT NULL, 
	format VARCHAR NOT NULL, 
	subscribed BOOLEAN NOT NULL, 
	upsert BOOLEAN NOT NULL, 
	last BOOLEAN NOT NULL, 
	items VARCHAR NOT NULL, 
	PRIMARY KEY (task_id, number), 
	FOREIGN KEY(mailing_list_id) REFERENCES mailing_list (id) ON DELETE CASCADE
);

CREATE INDEX ix_list_upload_mailing_list_id ON list_upload (mailing_list_id);

CREATE TABLE message (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	storage_key VARCHAR NOT NULL, 
	message_id VARCHAR NOT NULL, 
	sender VARCHAR NOT NULL, 
	recipients VARCHAR NOT NULL, 
	headers VARCHAR NOT NULL, 
	tags VARCHAR NOT NULL, 
	variables VARCHAR NOT NULL, 
	options VARCHAR NOT NULL, 
	attachments VARCHAR NOT NULL, 
	size INTEGER NOT NULL, 
	url VARCHAR NOT NULL, 
	addressees VARCHAR NOT NULL, 
	accepted_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	mime BLOB NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE, 
	UNIQUE (storage_key)
);

CREATE INDEX message_expiry ON message (domain_id, expires_at);

CREATE TABLE seed_test (
	result_id VARCHAR NOT NULL, 
	account_id VARCHAR NOT NULL, 
	seed_list_kid VARCHAR NOT NULL, 
	rid VARCHAR NOT NULL, 
	domain_name VARCHAR NOT NULL, 
	message_id VARCHAR NOT NULL, 
	sender VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	seeds VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	results VARCHAR NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	sharing_id VARCHAR NOT NULL, 
	sharing_enabled BOOLEAN NOT NULL, 
	sharing_expires_at FLOAT NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (result_id), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE, 
	FOREIGN KEY(seed_list_kid) REFERENCES seed_list (kid) ON DELETE CASCADE
);

CREATE INDEX ix_seed_test_account_id ON seed_test (account_id);

CREATE INDEX ix_seed_test_message_id ON seed_test (message_id);

CREATE INDEX ix_seed_test_seed_list_kid ON seed_test (seed_list_kid);

CREATE INDEX ix_seed_test_sharing_id ON seed_test (sharing_id);

CREATE TABLE smtp_credential (
	domain_id VARCHAR NOT NULL, 
	login VARCHAR NOT NULL, 
	password VARCHAR NOT NULL, 
	system BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (domain_id, login), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE suppression (
	domain_id VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	spelled VARCHAR NOT NULL, 
	code VARCHAR NOT NULL, 
	error VARCHAR NOT NULL, 
	tags VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	is_domain BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (domain_id, address, kind), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE INDEX suppression_list ON suppression (domain_id, kind, address);

CREATE TABLE suppression_import (
	import_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	header VARCHAR NOT NULL, 
	rows VARCHAR NOT NULL, 
	PRIMARY KEY (import_id, number), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE INDEX ix_suppression_import_domain_id ON suppression_import (domain_id);

CREATE TABLE tag (
	domain_id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	first_seen FLOAT NOT NULL, 
	last_seen FLOAT NOT NULL, 
	PRIMARY KEY (domain_id, "key"), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE INDEX tag_name ON tag (domain_id, name);

CREATE TABLE template (
	id VARCHAR NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	created_by VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (domain_id, name), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE TABLE threshold_hit (
	id VARCHAR NOT NULL, 
	threshold_id VARCHAR NOT NULL, 
	dimension_value VARCHAR NOT NULL, 
	latest_value VARCHAR NOT NULL, 
	triggered BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	expires_at FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (threshold_id, dimension_value), 
	FOREIGN KEY(threshold_id) REFERENCES threshold (id) ON DELETE CASCADE
);

CREATE TABLE validation_part (
	job_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	addresses VARCHAR NOT NULL, 
	results VARCHAR NOT NULL, 
	PRIMARY KEY (job_id, number), 
	FOREIGN KEY(job_id) REFERENCES validation_job (id) ON DELETE CASCADE
);

CREATE TABLE webhook_delivery (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	event_id INTEGER NOT NULL, 
	webhook VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	state VARCHAR NOT NULL, 
	next_at FLOAT, 
	attempts VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE
);

CREATE INDEX webhook_delivery_expiry ON webhook_delivery (domain_id, at);

CREATE TABLE list_posting (
	id INTEGER NOT NULL, 
	domain_id VARCHAR NOT NULL, 
	mailing_list_id VARCHAR NOT NULL, 
	message INTEGER NOT NULL, 
	submission VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(domain_id) REFERENCES domain (id) ON DELETE CASCADE, 
	FOREIGN KEY(mailing_list_id) REFERENCES mailing_list (id) ON DELETE CASCADE, 
	FOREIGN KEY(message) REFERENCES message (id) ON DELETE CASCADE
);

CREATE INDEX ix_list_posting_domain_id ON list_posting (domain_id);

CREATE INDEX ix_list_posting_mailing_list_id ON list_posting (mailing_list_id);

CREATE INDEX ix_list_posting_message ON list_posting (message);

CREATE TABLE template_version (
	id VARCHAR NOT NULL, 
	template_id VARCHAR NOT NULL, 
	tag VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	engine VARCHAR NOT NULL, 
	comment VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	headers VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (template_id, tag), 
	FOREIGN KEY(template_id) REFERENCES template (id) ON DELETE CASCADE
);

