import { utf8Encode } from '../encoding/bytes.ts';
import type { Plan } from '../plan/plan.ts';
import { serverCustodyText } from '../plan/server-custody.ts';
import { inRevision, RECORD } from './layout.ts';
import {
  checkDocuments,
  checkMinisign,
  checkOpenPgp,
  checkSsh,
  compareAll,
  compareDocuments,
  describeCommitment,
  describeRevisions,
  openBundles,
} from './readme-blocks.ts';

/**
 * `README.md` of a record: how to check it with programs that have nothing to do with Sealdrop.
 *
 * Part of the format `sealdrop-record/v1`: an audit makes it anew, so that a record cannot tell its
 * readers to run anything else. Another text needs another format.
 *
 * @param plans - Every plan that was in force, first revision first.
 * @param released - The revisions whose release key is in the record.
 * @param hasTimestamps - Whether there are tokens of a timestamping authority in it.
 */
export function readme(
  plans: readonly Plan[],
  released: ReadonlySet<number>,
  hasTimestamps: boolean,
): Uint8Array {
  const [plan] = plans;
  const last = plans.at(-1);
  if (plan === undefined || last === undefined) throw new Error('a record has a plan');
  const revised = plans.length > 1;
  const opened = revised ? plans.filter(({ revision }) => released.has(revision)) : plans;
  const folders = opened.map(({ revision }) => inRevision(revision, ''));
  const forEach = (block: (at: string) => string): string => folders.map(block).join('\n');
  const exercise = plan.exercise ? '\nThis was an exercise. Nothing in it is real.\n' : '';
  const texts = new Set(plans.flatMap((it) => serverCustodyText(it) ?? []));
  const custody = [...texts].map((text) => `\n${text}.\n`).join('');
  return utf8Encode(`# Record of ${plan.campaign}
${exercise}${custody}
Everything that was said, signed and published in the coordinated disclosure ${plan.campaign}.
${revised ? describeRevisions(plans) : ''}\`sealdrop audit\` checks all of it offline, from a root of trust whose SHA-256 you have from the
foundation and not from here:

    sealdrop audit . --root-sha256 HEX

The rest of this page needs no Sealdrop. Run the commands in this folder, in one shell:

\`\`\`sh
work=$(mktemp -d)
\`\`\`

## Nothing is changed or missing

\`\`\`sh
jq -r '.files[] | .sha256 + "  " + .path' record.json | sha256sum --strict --quiet -c
\`\`\`

## What was disclosed is what was committed to

${plans.map(describeCommitment).join('\n')}

\`\`\`sh
${plans.map(checkDocuments).join('\n')}
\`\`\`

## The bundles hold the patch that the officers signed

\`\`\`sh
${opened.map(openBundles).join('\n')}
\`\`\`

Every officer who approved signed the list of files in three ways, and each way alone will do. The
keys in \`keys/\` are those of the newest file in \`trust/\`; compare them with those that the
foundation publishes. It takes the signatures of so many people:

\`\`\`sh
needed=$(jq .directiveThreshold keys/officers.json)
\`\`\`

With OpenPGP:

\`\`\`sh
export GNUPGHOME="$work/gnupg"
mkdir -m 700 "$GNUPGHOME"
gpg --quiet --import keys/*.asc
${forEach(checkOpenPgp)}
\`\`\`

With minisign:

\`\`\`sh
${forEach(checkMinisign)}
\`\`\`

With SSH:

\`\`\`sh
${forEach(checkSsh)}
\`\`\`

## The closing bundle holds the documents

\`\`\`sh
mkdir "$work/closing"
age -d -i closing.key -o "$work/closing.tar" ${RECORD.bundle(last.closingBundle.sha256)}
tar xf "$work/closing.tar" -C "$work/closing"
${revised ? compareAll(last.revision) : compareDocuments(last.revision)}
\`\`\`

## The log is the one that was signed

The checkpoint's signature, by the key in \`keys/log.vkey\`:

\`\`\`sh
sed '/^$/,$d' log/checkpoint > "$work/text"
sed -n '/^$/{n;p;q}' log/checkpoint | cut -d' ' -f3 | base64 -d | tail -c 64 > "$work/signature"
{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'
  cut -d+ -f3- keys/log.vkey | base64 -d | tail -c 32; } > "$work/log.der"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/log.der" \\
  -rawin -in "$work/text" -sigfile "$work/signature"
\`\`\`

The root over all leaves (RFC 6962), compared with the third line of the checkpoint:

\`\`\`sh
python3 - <<'END'
import base64, hashlib, hmac, pathlib
sha256 = lambda data: hashlib.sha256(data).digest()
def root(x):
    if len(x) == 1: return x[0]
    k = 1 << (len(x) - 1).bit_length() - 1
    return sha256(b'\\1' + root(x[:k]) + root(x[k:]))
leaves, texts = [], []
for path in sorted(p.as_posix() for p in pathlib.Path('log/tile/entries').rglob('*') if p.is_file()):
    data = pathlib.Path(path).read_bytes()
    while data:
        n = 2 + int.from_bytes(data[:2], 'big')
        leaves.append(sha256(b'\\0' + data[2:n]))
        texts.append(data[2:n].decode())
        data = data[n:]
size, expected = open('log/checkpoint').read().split('\\n')[1:3]
assert len(leaves) == int(size) and base64.b64encode(root(leaves)).decode() == expected
print(len(leaves), 'leaves make the signed root')
${hasTimestamps ? TIMESTAMPED_ROOTS : ''}keys = [line.split() for line in open('dummies.txt')]
def nonce(i):
    for level, index, key in keys:
        if i >> int(level) != int(index): continue
        key = bytes.fromhex(key)
        for bit in reversed(range(int(level))):
            key = hmac.digest(key, b'sealdrop-dummy/v1 %d' % (i >> bit & 1), 'sha256')
        return key.hex()
opening = 'sealdrop-document/v1\\ntype: opening\\ncampaign: SDX-0000-0000\\nnonce: %s\\n\\ndummy/v1\\n'
for text in texts:
    if not text.startswith('dummy/v1 '): continue
    first, *last = map(int, text.split()[1].split('-'))
    for i in range(first, (last or [first])[0] + 1):
        digest = sha256((opening % nonce(i)).encode()).hex()
        assert texts[i] == 'sealed/v1 ' + digest + '\\n', 'leaf %d is no dummy' % i
print('every dummy hides nothing')
END
\`\`\`

Every opening is what its sealed leaf stands for:

\`\`\`sh
for opening in openings/*; do
  digest=$(sha256sum < "$opening" | cut -d' ' -f1)
  grep -raq "sealed/v1 $digest" log/tile/entries || { echo "$opening: not in the log"; false; }
done
\`\`\`
${hasTimestamps ? TIMESTAMPED : ''}`);
}

const TIMESTAMPED = `
## The log is as old as an authority says

A timestamping authority (RFC 3161) has signed when it saw the SHA-256 of each checkpoint in
\`timestamps/\`. Decide whether you trust it, and put the path of its root certificate, from the
authority and not from here, in \`ca\`:

\`\`\`sh
for token in timestamps/*.tsr; do
  openssl ts -verify -in "$token" -data "\${token%.tsr}.checkpoint" \\
    -CAfile "\${ca:?path of the root certificate}"
  openssl ts -reply -in "$token" -text | grep 'Time stamp:'
done
\`\`\`
`;

/** In the program above, which has the leaves at hand. */
const TIMESTAMPED_ROOTS = `for path in pathlib.Path('timestamps').glob('*.checkpoint'):
    size, expected = path.read_text().split('\\n')[1:3]
    assert base64.b64encode(root(leaves[:int(size)])).decode() == expected, path
    print('the first', size, 'make the root that is timestamped')
`;
