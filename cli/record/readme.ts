import { commitmentName } from '../../protocol/campaign/commitment.ts';
import type { Plan } from '../../protocol/campaign/plan.ts';
import { SSHSIG_NAMESPACE } from '../../protocol/embargo/sums-signatures.ts';
import { utf8Encode } from '../../protocol/encoding/bytes.ts';
import { RECORD } from './layout.ts';

/**
 * `README.md` of a record: how to check it with programs that have nothing to do with Sealdrop.
 *
 * Part of the format `sealdrop-record/v1`: an audit makes it anew, so that a record cannot tell its
 * readers to run anything else. Another text needs another format.
 *
 * @param hasTimestamps - Whether there are tokens of a timestamping authority in it.
 */
export function readme(plan: Plan, hasTimestamps: boolean): Uint8Array {
  const list = RECORD.commitment(commitmentName(plan.revision));
  const documents = `documents/r${plan.revision}`;
  const bundles = plan.bundles
    .map(
      ({ variant, sha256 }) => `mkdir -p "$work/${variant}"
age -d -i release.key -o "$work/${variant}.tar" ${RECORD.bundle(sha256)}
tar xf "$work/${variant}.tar" -C "$work/${variant}"
(cd "$work/${variant}" && sha256sum --strict --ignore-missing -c SHA256SUMS)
cmp SHA256SUMS "$work/${variant}/SHA256SUMS"`,
    )
    .join('\n');
  const exercise = plan.exercise ? '\nThis was an exercise. Nothing in it is real.\n' : '';
  return utf8Encode(`# Record of ${plan.campaign}
${exercise}
Everything that was said, signed and published in the coordinated disclosure ${plan.campaign}.
\`sealdrop audit\` checks all of it offline, from a root of trust whose SHA-256 you have from the
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

The public commitment is the SHA-256 of \`COMMITMENT\`: ${plan.commitment}

\`\`\`sh
sha256sum ${list} | grep -q '^${plan.commitment} '
(cd ${documents} && sha256sum --strict -c ../../${list})
\`\`\`

## The bundles hold the patch that the officers signed

\`\`\`sh
${bundles}
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
gpg --status-fd 1 --verify SHA256SUMS.asc SHA256SUMS > "$work/gpg" || true
people=$(awk '$2 == "VALIDSIG" { print $NF }' "$work/gpg" | sort -u | wc -l)
test "$(grep -c BADSIG "$work/gpg")" = 0
test "$people" -ge "$needed"
\`\`\`

With minisign:

\`\`\`sh
people=0
for key in keys/*.pub; do
  officer=$(basename "$key" .pub)
  test -e "SHA256SUMS.$officer.minisig" || continue
  minisign -HVm SHA256SUMS -x "SHA256SUMS.$officer.minisig" -p "$key"
  people=$((people + 1))
done
test "$people" -ge "$needed"
\`\`\`

With SSH:

\`\`\`sh
people=0
for officer in $(cut -d' ' -f1 keys/allowed_signers); do
  test -e "SHA256SUMS.$officer.sshsig" || continue
  ssh-keygen -Y verify -f keys/allowed_signers -I "$officer" -n ${SSHSIG_NAMESPACE} \\
    -s "SHA256SUMS.$officer.sshsig" < SHA256SUMS
  people=$((people + 1))
done
test "$people" -ge "$needed"
\`\`\`

## The closing bundle holds the documents

\`\`\`sh
mkdir "$work/closing"
age -d -i closing.key -o "$work/closing.tar" ${RECORD.bundle(plan.closingBundle.sha256)}
tar xf "$work/closing.tar" -C "$work/closing"
diff -r --exclude=COMMITMENT* ${documents} "$work/closing"
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
