/** One thing `lint` has to say about a campaign directory. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /**
   * File inside the campaign directory, with a line where one is meant (`notice.md:3`), a field of
   * campaign.json, or an option.
   */
  readonly where: string;
  readonly message: string;
  /** The way out, as an order to a person. */
  readonly advice: string;
}

/** What has to be mended before anything is sealed. */
export function error(where: string, message: string, advice: string): Finding {
  return { severity: 'error', where, message, advice };
}

/** What a person has to weigh. */
export function warning(where: string, message: string, advice: string): Finding {
  return { severity: 'warning', where, message, advice };
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}
