// Mailgun's JavaScript client, and which of the methods that it offers were called.
const fs = require('node:fs');
const path = require('node:path');

// The names that the package declares private or protected: they are on the prototypes like all others.
function internal() {
  const types = path.resolve(path.dirname(require.resolve('mailgun.js')), '..', 'Types', 'Classes');
  const found = new Set(['constructor']);
  for (const file of fs.readdirSync(types, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
    const text = fs.readFileSync(path.join(types, file), 'utf8');
    for (const [, name] of text.matchAll(/^\s+(?:private|protected)(?: abstract)? (\w+)/gm)) found.add(name);
  }
  return found;
}

function methodsOf(object, hidden) {
  const found = new Set();
  for (let each = Object.getPrototypeOf(object); each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) {
      if (!hidden.has(name) && !name.startsWith('_')) found.add(name);
    }
  }
  return [...found];
}

const isClient = (value) => typeof value === 'object' && value !== null && 'request' in value && 'constructor' in value;

function recording(client) {
  const hidden = internal();
  const offered = [];
  const called = new Set();
  const wrap = (object, prefix) => {
    const methods = methodsOf(object, hidden);
    offered.push(...methods.map((name) => prefix + name));
    const parts = Object.keys(object).filter((name) => name !== 'request' && isClient(object[name]));
    const wrapped = new Map(parts.map((name) => [name, wrap(object[name], `${prefix}${name}.`)]));
    return new Proxy(object, {
      get(target, name) {
        if (wrapped.has(name)) return wrapped.get(name);
        if (methods.includes(name)) called.add(prefix + name);
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const recorded = wrap(client, '');
  return { client: recorded, told: () => ({ offered: offered.sort(), called: [...called].sort() }) };
}

module.exports = { recording };
