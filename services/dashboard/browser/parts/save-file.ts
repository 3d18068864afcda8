import { download } from '../api.ts';

/** Downloads a file of the API and saves it. A link to the API could not send the token. @param type as for {@link download} */
export async function saveFile(path: string, name: string, type?: string): Promise<void> {
  const address = URL.createObjectURL(await download(path, type));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
