// Inbox placement, with Mailgun's JavaScript client.
const assert = require('node:assert/strict');

module.exports = ({ mg, domain, emulator, drain, status, names }) => {
  const { seedsLists, results, providers } = mg.inboxPlacements;

  async function seedLists() {
    const made = await seedsLists.create({ name: 'JavaScript', provider_filter: 'gmail.com', remote_id: 'r1' });
    assert.deepEqual([made.name, made.status, made.tags.sfmc_remote_id], ['JavaScript', 200, 'r1']);
    assert.ok(made.created_at.valueOf());
    const id = made.target_email;
    assert.equal((await seedsLists.get(id)).kid, made.kid);
    const changed = await seedsLists.update(id, { shuffle: true });
    assert.equal(changed.previous_mailing_list, made.mailing_list);
    const page = await seedsLists.list({ limit: 1, time_after: new Date(Date.now() - 86400_000) });
    assert.deepEqual(names(page.items, 'target_email'), [id]);
    assert.match(page.pages.next.url, /offset=1/);
    assert.deepEqual((await seedsLists.attributes.list()).items.values, ['name', 'target_email']);
    assert.deepEqual((await seedsLists.attributes.get('name')).items.values, ['JavaScript']);
    assert.equal((await seedsLists.filters.list()).supported_filters.filters[0].parameter, 'name');
    assert.equal((await seedsLists.destroy(id)).status, 200);
    assert.equal(await status(seedsLists.get(id)), 404);
    const { items: [first] } = await providers.list();
    assert.deepEqual([first.domain, first.created_at.getUTCFullYear()], ['gmail.com', 2020]);
  }

  async function placement() {
    const started = await mg.inboxPlacements.runTest({
      from: `Excited User <mailgun@${domain}>`,
      subject: 'Placed',
      html: '<p>Dear {{who}}</p>',
      variables: JSON.stringify({ who: '%recipient.first_name%' }),
      provider_filter: ['gmail.com', 'o365.mailgun.email'],
    });
    assert.equal(started.status, 200);
    const id = started.result_id;
    assert.equal((await results.get(id)).inboxPlacementResult.status, 'processing');
    await drain();
    await emulator('clock', { advance: '10m' });
    const { inboxPlacementResult: placed } = await results.get(id);
    assert.deepEqual([placed.status, placed.delivery_stats.all.inbox], ['complete', 6]);
    assert.ok(placed.Box.last_result_at.valueOf());
    const page = await results.list({ subject: 'Placed', sender: 'mailgun', limit: 5, ascending: true });
    assert.deepEqual(names(page.items, 'result_id'), [id]);
    assert.ok((await results.attributes.list()).items.values.includes('subject'));
    assert.deepEqual((await results.attributes.get('subject')).items.values, ['Placed']);
    assert.equal((await results.filters.list()).supported_filters.filters.length, 6);
    const shared = await results.sharing.update(id, { enabled: true });
    assert.deepEqual([shared.enabled, shared.expires_at > new Date()], [true, true]);
    assert.equal((await results.sharing.get(id)).url, shared.url);
    assert.equal((await results.getResultByShareId(shared.url_id)).inboxPlacementResult.result_id, id);
    assert.deepEqual(await results.destroy(id), { status: 200, message: 'deleted' });
    assert.equal(await status(results.get(id)), 404);
  }

  return [seedLists, placement];
};
