// golang.org/x/mod sumdb/note
export const PETER_SEED = '810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173';
export const PETER_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
export const ENOCH_KEY = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';

// C2SP tlog-cosignature: a witness of checkpoints (sigsum-go pkg/checkpoint)
export const WITNESS_SEED = `11${'00'.repeat(31)}`;
export const WITNESS_KEY =
  'example.org/witness+cacf2e50+BGbguFjkYqYJ5m/nE3DIFtiEb/ED1UmaIqf+w3/bxCSn';
