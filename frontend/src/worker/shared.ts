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
async function within<T>(work: (store: IDBObjectStore) => T): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, "readwrite");
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

/** Deletes what is older than a day, and gathers the rest until the transaction is over. */
function sift(store: IDBObjectStore): File[] {
  const young: File[] = [];
  const request = store.openCursor();
  request.onsuccess = () => {
    const cursor = request.result;
    if (!cursor) return;
    const { file, at } = cursor.value as Kept;
    if (Date.now() - at < KEPT_FOR) young.push(file);
    else cursor.delete();
    cursor.continue();
  };
  return young;
}

export async function keepShared(files: readonly File[]): Promise<void> {
  await within((store) => {
    sift(store);
    for (const file of files) store.add({ file, at: Date.now() } satisfies Kept);
  });
}

/** What was shared within a day; what is older is forgotten. */
export const readShared = (): Promise<File[]> => within(sift);

export async function forgetShared(): Promise<void> {
  await within((store) => store.clear());
}
