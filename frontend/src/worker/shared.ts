/* Files that another program shared with the site, until somebody says what becomes of them.
 *
 * The service worker puts them here, the upload page takes them. Nothing is sent from here: a
 * foreign page can send such a form as well as the telephone can, and the two look alike.
 */
export const DATABASE = "shared-files";
const STORE = "files";
const KEPT_FOR = 24 * 3600 * 1000; // milliseconds

interface Kept {
  file: File;
  at: number; // milliseconds since 1970
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
  return settled(request);
}

/** Runs `work` as one transaction, and closes: an open one would stand in the way of forgetting. */
async function within<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => T): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const result = work(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return result;
  } finally {
    database.close();
  }
}

export async function keepShared(files: readonly File[]): Promise<void> {
  await within("readwrite", (store) => {
    for (const file of files) store.add({ file, at: Date.now() } satisfies Kept);
  });
}

/** What was shared within a day; what is older is forgotten. */
export async function readShared(): Promise<File[]> {
  const request = await within("readonly", (store) => store.getAll() as IDBRequest<Kept[]>);
  const files = request.result.filter(({ at }) => Date.now() - at < KEPT_FOR);
  if (files.length < request.result.length && files.length === 0) await forgetShared();
  return files.map(({ file }) => file);
}

export async function forgetShared(): Promise<void> {
  await within("readwrite", (store) => store.clear());
}
