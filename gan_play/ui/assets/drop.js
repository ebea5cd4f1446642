// The drop zone. Files, folders and ZIPs, dropped or chosen, are sent to the server; then `gathered` is triggered
// with the paths that the server gave them. Browsers forget a file's folder when they send it, so more than one
// picture is packed, here and without compressing, into ZIPs: folder names survive, and one request carries all.
// Runs with Gradio's `element`, `trigger` and `watch`.

const MOST_PACK_BYTES = 900e6; // the server takes ZIPs of up to 2 GB; smaller ones show progress and fail alone
const MOST_PACK_FILES = 15000;
const zone = element.querySelector('.drop');
const words = zone.dataset;
let request = null;

const TABLE = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function checksum(bytes) { // CRC-32, as ZIP wants it
  let sum = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) sum = TABLE[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

function header(signature, fields) { // little endian; each field is [bytes, value]
  const view = new DataView(new ArrayBuffer(4 + fields.reduce((all, [size]) => all + size, 0)));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of fields) {
    size === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

async function pack(files, done) {
  const parts = [], directory = [];
  let offset = 0;
  for (const { path, file } of files) {
    const name = new TextEncoder().encode(path);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const common = [[2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, checksum(bytes)],
                    [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
    const local = header(0x04034b50, common);
    parts.push(local, name, file);
    directory.push(header(0x02014b50, [[2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), name);
    offset += local.length + name.length + bytes.length;
    done();
  }
  const size = directory.reduce((all, part) => all + part.length, 0);
  const end = header(0x06054b50, [[2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

function say(text, share) {
  const status = element.querySelector('.drop-status');
  status.querySelector('span').textContent = text;
  status.querySelector('progress').hidden = share === undefined;
  status.querySelector('button').hidden = share === undefined;
  if (share !== undefined) status.querySelector('progress').value = share;
}

function send(file, name, from, share) {
  const form = new FormData();
  form.append('files', file, name);
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    request.open('POST', 'gradio_api/upload');
    request.upload.onprogress = (event) => say(words.sending, from + (share * event.loaded) / event.total);
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.response)[0]);
      else reject(new Error(request.status === 413 ? words.large : words.failed));
    };
    request.onerror = () => reject(new Error(words.failed));
    request.onabort = () => reject(new Error(words.cancelled));
    request.send(form);
  });
}

function bundles(files) { // ZIPs go alone; pictures go together, unless there is only one
  const zips = files.filter(({ path }) => /\.zip$/i.test(path));
  const pictures = files.filter(({ path }) => !/\.zip$/i.test(path) && !/(^|\/)(\.|__MACOSX)/.test(path));
  const packs = [];
  let size = Infinity;
  for (const entry of pictures) {
    if (size + entry.file.size > MOST_PACK_BYTES || packs.at(-1).length >= MOST_PACK_FILES) {
      packs.push([]);
      size = 0;
    }
    packs.at(-1).push(entry);
    size += entry.file.size;
  }
  return { zips, packs, count: pictures.length };
}

async function take(files) {
  if (!files.length || zone.classList.contains('busy')) return;
  zone.classList.add('busy');
  try {
    const { zips, packs, count } = bundles(files);
    const shares = zips.length + packs.length;
    const paths = [];
    let read = 0;
    for (const { path, file } of zips) {
      paths.push(await send(file, path.split('/').pop(), paths.length / shares, 1 / shares));
    }
    for (const entries of packs) {
      const alone = count === 1 && !entries[0].path.includes('/');
      const name = alone ? entries[0].path : 'pictures.zip';
      const file = alone ? entries[0].file
        : await pack(entries, () => say(`${words.packing} ${++read} / ${count}`, paths.length / shares));
      paths.push(await send(file, name, paths.length / shares, 1 / shares));
    }
    const folders = new Set(files.map(({ path }) => path.split('/').slice(0, -1)[0] || ''));
    const only = folders.size === 1 ? [...folders][0] : '';
    const name = only || (zips.length === 1 && !count ? zips[0].path.replace(/\.zip$/i, '') : '');
    if (paths.length) trigger('gathered', { paths, name });
    say('');
  } catch (error) {
    say(error.message || words.failed);
  } finally {
    zone.classList.remove('busy');
    request = null;
  }
}

async function walk(entry, into, before) { // a dropped folder, as deep as it goes
  const path = before + entry.name;
  if (entry.isFile) {
    into.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives at most 100 entries at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await walk(child, into, path + '/');
  }
}

element.addEventListener('change', (event) => {
  if (event.target.type !== 'file') return;
  const files = [...event.target.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  event.target.value = '';
  take(files);
});

element.addEventListener('click', (event) => {
  const choose = event.target.closest('[data-choose]');
  if (choose) element.querySelector(`input[name=${choose.dataset.choose}]`).click();
  else if (event.target.closest('[data-cancel]')) request?.abort();
});

for (const kind of ['dragover', 'dragenter']) {
  zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add('over'); });
}
zone.addEventListener('dragleave', (event) => {
  if (!zone.contains(event.relatedTarget)) zone.classList.remove('over');
});
zone.addEventListener('drop', async (event) => {
  event.preventDefault();
  zone.classList.remove('over');
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  try {
    for (const entry of entries) await walk(entry, files, '');
  } catch {
    say(words.failed);
    return;
  }
  take(files);
});
