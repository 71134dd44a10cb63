// IPs and IP pools, with Mailgun's JavaScript client.
const assert = require('node:assert/strict');

module.exports = ({ mg, url, domain, drain, status }) => {
  async function post(path) {
    const headers = { Authorization: `Basic ${btoa(`api:${process.argv[3]}`)}` };
    return (await fetch(`${url}${path}`, { method: 'POST', headers })).json();
  }

  async function order() {
    await post('/v3/ips/request/new');
    return (await mg.ips.list({ dedicated: true })).items.at(-1);
  }

  async function ips() {
    const one = await order();
    const listed = await mg.ips.list();
    assert.equal(listed.total_count, listed.items.length);
    assert.deepEqual([(await mg.ips.get(one)).dedicated, await status(mg.ips.get('192.0.2.1'))], [true, 404]);
    assert.equal((await mg.domains.assignIp(domain, one)).body.message, 'success');
    assert.deepEqual(await mg.domains.getIps(domain), [one]);
    assert.equal((await mg.domains.deleteIp(domain, one)).body.message, 'success');
    assert.deepEqual(await mg.domains.getIps(domain), [listed.items[0]]);
  }

  async function ipPools() {
    const [one, two, three] = [await order(), await order(), await order()];
    const made = await mg.ip_pools.create({ name: 'News', description: 'All', ips: [one] });
    const { pool_id: other } = await mg.ip_pools.create({ name: 'Other', description: 'Few', ips: [two] });
    assert.equal(made.message, 'success');
    const pool = made.pool_id;
    assert.equal((await mg.ip_pools.update(pool, { name: 'Newsletters' })).message, 'success');
    const [told] = (await mg.ip_pools.list()).ip_pools;
    assert.deepEqual([told.name, told.is_linked, Object.keys(told.metadata.assignments)], ['Newsletters', false, [one]]);
    await mg.domains.linkIpPool(domain, pool);
    assert.deepEqual((await mg.ip_pools.get(pool)).details.linked_domains, [domain]);
    const linked = await mg.ip_pools.linkedDomains(pool, { limit: 10 });
    assert.deepEqual(linked.domains.map((each) => each.name), [domain]);
    assert.match((await mg.ip_pools.addIp(pool, three)).reference_id, /^[0-9a-f]{24}$/);
    assert.equal((await mg.ip_pools.removeIp(pool, three)).message, 'started');
    assert.equal((await mg.ip_pools.addIps(pool, [three])).message, 'started');
    await drain();
    assert.deepEqual(await mg.domains.getIps(domain), [one, three]);
    await mg.ip_pools.removeIp(pool, three);
    await drain();
    await mg.domains.unlinkIpPoll(domain, { pool_id: other });
    assert.deepEqual(await mg.domains.getIps(domain), [two]);
    await mg.ip_pools.unlinkDomainPool(domain, pool);
    assert.deepEqual(await mg.domains.getIps(domain), [one]);
    assert.equal((await mg.ip_pools.destroy(pool, { ip: three })).message, 'started');
    await drain();
    assert.deepEqual(await mg.domains.getIps(domain), [three]);
    await mg.ip_pools.removeIpFromDomainPool(domain, three, one);
    assert.deepEqual(await mg.domains.getIps(domain), [one]);
    await mg.ip_pools.removeIpFromDomainPool(domain, one);
    const below = (await post('/v5/accounts/subaccounts?name=Below')).subaccount.id;
    assert.equal((await mg.ip_pools.delegate(other, below)).message, 'success');
    assert.match((await mg.ip_pools.revokeDelegation(other, below)).reference_id, /^[0-9a-f]{24}$/);
    await drain();
    await mg.ip_pools.destroy(other, { ip: 'shared' });
    const spare = `spare.${domain}`;
    await mg.domains.create({ name: spare });
    assert.equal((await mg.ip_pools.removeDomainPool(spare)).message, 'success');
    assert.equal(await status(mg.domains.getIps(spare)), 404);
  }

  return [ips, ipPools];
};
