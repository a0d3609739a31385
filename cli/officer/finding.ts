/** One thing `lint` has to say about a campaign directory. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** File inside the campaign directory, or a field of campaign.json. */
  readonly where: string;
  readonly message: string;
}

export function error(where: string, message: string): Finding {
  return { severity: 'error', where, message };
}

export function warning(where: string, message: string): Finding {
  return { severity: 'warning', where, message };
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}
