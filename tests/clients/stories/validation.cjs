// Validation of addresses, with Mailgun's JavaScript client.
module.exports = () => [];
