import { DEFAULT_PROFILE, getProfileName, loadSharedConfigFiles } from '@smithy/core/config';

/** The AWS profile that the environment names, if neither the config file nor the credentials file has it; otherwise `null`. */
export async function missingProfile(): Promise<string | null> {
  const profile = getProfileName({});
  if (profile === DEFAULT_PROFILE) return null;
  // The SDK has already read the files and caches their content.
  const { configFile, credentialsFile } = await loadSharedConfigFiles();
  return profile in configFile || profile in credentialsFile ? null : profile;
}
