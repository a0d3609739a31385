import { editJson, hostile, type Attack } from '../support/attacks.ts';
import type { HostileCase } from '../support/cases.ts';
import { inbox, prefetch, trustRefresh } from '../support/flows.ts';
import { forgeRoot, forgeTuf } from '../support/forge.ts';

/** Names that lead elsewhere, are taken by a system, or look like another one. */
const NAMES: Readonly<Record<string, string>> = {
  'that climbs': '../../evil',
  'from the root': '/etc/passwd',
  'with backslashes': '..\\..\\evil',
  'with a NUL': 'evil\0.txt',
  'with a line break': 'evil\nname',
  'that is empty': '',
  'of dots': '..',
  'that is hidden': '.ssh',
  'reserved by a system': 'CON',
  'with a drive': 'C:evil',
  'that is overlong': 'x'.repeat(5000),
  'in look-alike letters': 'аlice', // Cyrillic а
  'written from right to left': '\u202Eecila',
  'of percent signs': '%2e%2e%2fevil',
};

interface Target {
  length: number;
  hashes: object;
}

/** Targets that all officers signed, with a further one of this name. */
const target =
  (name: string): Attack =>
  (site) => {
    forgeTuf(site, {
      targets(signed) {
        const targets = signed['targets'] as Record<string, Target>;
        const [one] = Object.values(targets);
        const next = { ...signed, version: signed.version + 1 };
        return { ...next, targets: { ...targets, [`bundles/${name}.age`]: one } };
      },
    });
  };

type Inbox = { campaigns: { campaign: object; messages: object[] }[] };

const campaign = (name: string): Attack =>
  editJson('/v1/inbox', ({ campaigns }: Inbox) => ({
    campaigns: campaigns.map((it) => ({ ...it, campaign: { ...it.campaign, campaign: name } })),
  }));

const message = (name: string): Attack =>
  editJson('/v1/inbox', ({ campaigns }: Inbox) => ({
    campaigns: campaigns.map((it) => ({
      ...it,
      messages: it.messages.map((mail) => ({ ...mail, kind: name })),
    })),
  }));

type Root = { 'x-sealdrop': { people: { id: string }[] } };

const person =
  (name: string): Attack =>
  (site) => {
    const rename = (signed: Root): object => {
      const [first] = signed['x-sealdrop'].people;
      if (first !== undefined) first.id = name;
      return signed;
    };
    site.put('/tuf/3.root.json', forgeRoot(site.repository, rename));
  };

/** Wherever a name comes from a server or from metadata, one that is no name of ours is refused. */
export const names: readonly HostileCase[] = Object.entries(NAMES).flatMap(([what, name]) => [
  hostile(prefetch, `a target ${what}`, target(name), 6, /./),
  hostile(inbox, `a campaign ${what}`, campaign(name), 6, /./),
  hostile(inbox, `a message ${what}`, message(name), 6, /./),
  hostile(trustRefresh, `a person ${what}`, person(name), 6, /./),
]);
