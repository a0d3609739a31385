import { commitmentName } from '../commitment/commitment.ts';
import { SSHSIG_NAMESPACE } from '../embargo/sums-signatures.ts';
import type { Plan } from '../plan/plan.ts';
import { inRevision, RECORD } from './layout.ts';

// Commands and sentences of a record's README.md that are there once for each revision. `at` is where
// a revision's own files are: nothing for the first, `r2/` and so on.

/** That there are several, and where the files of each are. */
export function describeRevisions(plans: readonly Plan[]): string {
  return `The plan was revised: there were ${plans.length} in force. What is of the first is in this folder, what is
of a later one alone in \`r2/\` and so on, under the same names.
`;
}

/** The public commitment of one revision, in a sentence. */
export function describeCommitment({ revision, commitment }: Plan): string {
  const list = commitmentName(revision);
  return revision === 1
    ? `The public commitment is the SHA-256 of \`COMMITMENT\`: ${commitment}`
    : `Of revision ${revision} it is that of \`${list}\`, which lists the one before: ${commitment}`;
}

/** Commands: the list of a revision is the committed one, and its documents are those it lists. */
export function checkDocuments({ revision, commitment }: Plan): string {
  const list = RECORD.commitment(commitmentName(revision));
  return `sha256sum ${list} | grep -q '^${commitment} '
(cd documents/r${revision} && sha256sum --strict -c ../../${list})`;
}

/** Commands: every bundle opens with the release key, to files that are in the one `SHA256SUMS`. */
export function openBundles({ revision, bundles }: Plan): string {
  const at = inRevision(revision, '');
  return bundles
    .map(({ variant, sha256 }) => {
      const folder = `$work/${at}${variant}`;
      return `mkdir -p "${folder}"
age -d -i ${at}release.key -o "${folder}.tar" ${RECORD.bundle(sha256)}
tar xf "${folder}.tar" -C "${folder}"
(cd "${folder}" && sha256sum --strict --ignore-missing -c SHA256SUMS)
cmp ${at}SHA256SUMS "${folder}/SHA256SUMS"`;
    })
    .join('\n');
}

/** Commands: enough people signed `SHA256SUMS` with OpenPGP. */
export function checkOpenPgp(at: string): string {
  return `gpg --status-fd 1 --verify ${at}SHA256SUMS.asc ${at}SHA256SUMS > "$work/gpg" || true
people=$(awk '$2 == "VALIDSIG" { print $NF }' "$work/gpg" | sort -u | wc -l)
test "$(grep -c BADSIG "$work/gpg")" = 0
test "$people" -ge "$needed"`;
}

/** Commands: the same with minisign. */
export function checkMinisign(at: string): string {
  return `people=0
for key in keys/*.pub; do
  officer=$(basename "$key" .pub)
  test -e "${at}SHA256SUMS.$officer.minisig" || continue
  minisign -HVm ${at}SHA256SUMS -x "${at}SHA256SUMS.$officer.minisig" -p "$key"
  people=$((people + 1))
done
test "$people" -ge "$needed"`;
}

/** Commands: the same with SSH. */
export function checkSsh(at: string): string {
  return `people=0
for officer in $(cut -d' ' -f1 keys/allowed_signers); do
  test -e "${at}SHA256SUMS.$officer.sshsig" || continue
  ssh-keygen -Y verify -f keys/allowed_signers -I "$officer" -n ${SSHSIG_NAMESPACE} \\
    -s "${at}SHA256SUMS.$officer.sshsig" < ${at}SHA256SUMS
  people=$((people + 1))
done
test "$people" -ge "$needed"`;
}

/** Commands: the closing bundle of the only revision holds its documents. */
export function compareDocuments(revision: number): string {
  return `diff -r --exclude=COMMITMENT* documents/r${revision} "$work/closing"`;
}

/** The bundle has documents of earlier revisions as `r1.notice.txt` and so on, and every list once. */
export function compareAll(last: number): string {
  return `mkdir "$work/documents"
for path in documents/*/*; do
  revision=$(basename "$(dirname "$path")")
  name=$(basename "$path")
  case "$revision/$name" in
    */COMMITMENT*) ;;
    r${last}/*) cp "$path" "$work/documents/$name" ;;
    *) cp "$path" "$work/documents/$revision.$name" ;;
  esac
done
cp commitment/* "$work/documents"
diff -r "$work/documents" "$work/closing"`;
}
