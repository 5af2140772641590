/**
 * Takes the place of `@aws-sdk/credential-provider-node` in the bundles. Lambda, and the local cloud, hand credentials
 * over in the environment and nowhere else; the chain of files, SSO, web identity and instance metadata behind them
 * would be a fifth of every bundle and can never answer there.
 */
export const defaultProvider = () => (): Promise<Credentials> => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  const sessionToken = process.env['AWS_SESSION_TOKEN'];
  return accessKeyId && secretAccessKey
    ? Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) })
    : Promise.reject(new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment'));
};

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}
