import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { originOf, publicUrlOf } from '../../server/card.ts';
import { ConfigError, readConfig } from '../../server/config.ts';

describe('the configuration', () => {
  const minimal = { SEALDROP_DATA: '/var/lib/sealdrop' };

  it('needs nothing but a data directory', () => {
    const config = readConfig(minimal);
    assert.equal(config.host, '127.0.0.1');
    assert.equal(config.port, 8420);
    assert.equal(config.flushMs, 2);
    assert.equal(config.mail, undefined);
    assert.equal(publicUrlOf(config, 8420), 'http://127.0.0.1:8420');
    assert.equal(originOf(config), '127.0.0.1:8420/log');
  });

  it('derives the origin from the public URL, whatever the port', () => {
    const config = readConfig({
      ...minimal,
      SEALDROP_PUBLIC_URL: 'https://patches.example.org/solana/',
      SEALDROP_PORT: '0',
    });
    assert.equal(originOf(config), 'patches.example.org/solana/log');
    assert.equal(publicUrlOf(config, 1234), 'https://patches.example.org/solana');
    assert.throws(() => originOf(readConfig({ ...minimal, SEALDROP_PORT: '0' })), ConfigError);
  });

  it('refuses each of these', () => {
    const wrong: Record<string, string> = {
      SEALDROP_PORT: '65536',
      SEALDROP_PUBLIC_URL: 'ftp://example.org',
      SEALDROP_ORIGIN: 'https://example.org with spaces',
      SEALDROP_SMTP_URL: 'smtp://mail.example',
      SEALDROP_MAIL_FROM: 'a@b.example, c@d.example',
      SEALDROP_LOG_EPOCH_MS: '0',
      SEALDROP_FLUSH_MS: '-1',
      SEALDROP_MAX_BLOB_BYTES: '1e9',
      SEALDROP_LOG_LEVEL: 'verbose',
      SEALDROP_HOST: '0.0.0.0',
      SEALDROP_TRUSTED_PROXIES: 'all',
      SEALDROP_UNKNOWN: '1',
      SEALDROP_CUSTODY: '/var/lib/sealdrop/keys/custody.key',
      SEALDROP_BEACONS: 'https://relay.example,',
    };
    for (const [name, value] of Object.entries(wrong)) {
      assert.throws(() => readConfig({ ...minimal, [name]: value }), ConfigError, name);
    }
    for (const proxies of [
      '127.0.0.1/33',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '',
      '::1,x',
      '10.0.0.0/0',
    ]) {
      assert.throws(
        () => readConfig({ ...minimal, SEALDROP_TRUSTED_PROXIES: proxies }),
        ConfigError,
        proxies,
      );
    }
    assert.throws(() => readConfig({}), /SEALDROP_DATA is required/);
    assert.throws(
      () => readConfig({ ...minimal, SEALDROP_PUBLIC_URL: 'https://user:pw@example.org' }),
      ConfigError,
    );
  });

  it('ignores what belongs to the CLI or to nobody', () => {
    readConfig({ ...minimal, SEALDROP_HOME: '/home/alice/.config/sealdrop', OTHER: '1' });
  });
});
