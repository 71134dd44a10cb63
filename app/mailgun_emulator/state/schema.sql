CREATE TABLE account (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	signing_key VARCHAR NOT NULL, 
	public_key VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	clock_offset FLOAT NOT NULL, 
	clock_frozen_at FLOAT, 
	PRIMARY KEY (id)
);

CREATE TABLE start (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (id)
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

CREATE TABLE former_domain (
	account_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	PRIMARY KEY (account_id, name), 
	FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);

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
	tag VARCHAR NOT NULL, 
	hour INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	ip VARCHAR NOT NULL, 
	country VARCHAR NOT NULL, 
	device VARCHAR NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (domain_id, tag, hour, metric, provider, ip, country, device), 
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

