CREATE TABLE account (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	signing_key VARCHAR NOT NULL, 
	public_key VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	parent_id VARCHAR, 
	status VARCHAR NOT NULL, 
	updated_at FLOAT NOT NULL, 
	features VARCHAR NOT NULL, 
	settings VARCHAR NOT NULL, 
	message_limit INTEGER, 
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
	country VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	bot VARCHAR NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (domain_id, hour, metric, tags, recipient_domain, ip, country, device, bot), 
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

