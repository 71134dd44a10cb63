// Accounts, subaccounts and custom limits, with Mailgun's JavaScript client.
const assert = require('node:assert/strict');

module.exports = ({ mg, names, message, status }) => [
  async function settings() {
    const { accountManagement } = mg;
    assert.ok((await accountManagement.updateAccountSettings({ absolute_session_timeout: 3600 })).message);
    const feature = { webhooks_redact_pii: { enabled: false } };
    assert.equal((await accountManagement.updateAccountFeature(feature)).success, true);
    const { http_signing_key: first } = await accountManagement.getWebhookSigningKey();
    const { http_signing_key: next } = await accountManagement.createWebhookSigningKey();
    assert.match(next, /^key-[0-9a-f]{32}$/);
    assert.notEqual(first, next);
    assert.equal((await accountManagement.resendActivationEmail()).success, true);
  },

  async function subaccounts() {
    const { subaccounts: own } = mg;
    const { subaccount: made } = await own.create('JavaScript');
    assert.deepEqual([made.name, made.status, made.created_at.valueOf() > 0], ['JavaScript', 'open', true]);
    assert.ok(names((await own.list({ limit: 10, enabled: true })).subaccounts, 'id').includes(made.id));
    assert.equal((await own.get(made.id)).subaccount.name, 'JavaScript');
    assert.equal((await own.setMonthlySendingLimit(made.id, 5000)).success, true);
    assert.deepEqual((await own.getMonthlySendingLimit(made.id)).limit, 5000);
    const { features } = await own.updateSubaccountFeature(made.id, { validations: false });
    assert.equal(features.validations.enabled, false);
    mg.setSubaccount(made.id);
    const [{ name: sandbox }] = await mg.domains.list();
    assert.equal((await mg.messages.create(sandbox, message({ from: `a@${sandbox}` }))).status, 200);
    mg.resetSubaccount();
    assert.equal((await own.getMonthlySendingLimit(made.id)).current, 1);
    assert.equal((await own.disable(made.id)).subaccount.status, 'disabled');
    mg.setSubaccount(made.id);
    assert.equal(await status(mg.messages.create(sandbox, message({ from: `a@${sandbox}` }))), 403);
    mg.resetSubaccount();
    assert.equal((await own.enable(made.id)).subaccount.status, 'open');
    assert.match((await own.destroy(made.id)).message, /successfully deleted/);
    assert.equal((await own.get(made.id)).subaccount.status, 'closed');
  },

  async function messageLimit() {
    const { customMessageLimit: limits } = mg;
    assert.equal((await limits.set(1000)).success, true);
    assert.equal((await limits.get()).limit, 1000);
    assert.equal(await status(limits.enable()), 400);
    assert.equal((await limits.destroy()).success, true);
  },
];
