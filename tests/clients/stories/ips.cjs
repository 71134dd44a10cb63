// IPs and IP pools, with Mailgun's JavaScript client.
module.exports = () => [];
