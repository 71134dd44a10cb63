// Inbox placement, with Mailgun's JavaScript client.
module.exports = () => [];
