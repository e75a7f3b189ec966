// tus-js-client as a program: one JSON object of options as argument, one line of JSON out.
//
//   {endpoint, token, path, name, mode, stop?, store?}
//
// `mode`: whole, chunked, parallel, deferred. `stop`: bytes after which the upload is aborted and,
// without `store`, gone on with at once. `store`: a file that remembers addresses; a process that
// finds one there resumes.
import { createReadStream, readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import * as tus from "tus-js-client";

const MIB = 1024 * 1024;
const said = JSON.parse(process.argv[2]);
const modes = {
  whole: {},
  chunked: { chunkSize: MIB },
  parallel: { parallelUploads: 3 },
  deferred: { uploadLengthDeferred: true, chunkSize: MIB },
};
// A stream of a file would be opened anew for every part: this one can only be read once.
const file =
  said.mode === "deferred"
    ? createReadStream(said.path).pipe(new PassThrough())
    : readFileSync(said.path);
let isStopped = false;

function end(outcome) {
  console.log(JSON.stringify(outcome));
  process.exit(0);
}

const upload = new tus.Upload(file, {
  endpoint: said.endpoint,
  headers: { Authorization: `Token ${said.token}` },
  metadata: { filename: said.name, title: "From a client" },
  retryDelays: Array(60).fill(50),
  ...modes[said.mode],
  ...(said.store && { urlStorage: new tus.FileUrlStorage(said.store) }),
  onError: (error) => end({ error: String(error) }),
  onSuccess: () => end({ url: upload.url }),
  onChunkComplete: async (_size, accepted) => {
    if (!said.stop || isStopped || accepted < said.stop) return;
    isStopped = true;
    await upload.abort();
    if (said.store) end({ url: upload.url, stopped: accepted });
    upload.start();
  },
});

const found = said.store ? await upload.findPreviousUploads() : [];
if (found.length > 0) upload.resumeFromPreviousUpload(found[0]);
upload.start();
