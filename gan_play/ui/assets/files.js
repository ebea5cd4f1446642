// Dropped or chosen files go to the server, and `dropped` is triggered with the paths that it gave them: before the
// scripts of components with a place to drop pictures (transform.js, draw.js).
const zone = () => element.querySelector('.choose');
const told = (text) => { const line = element.querySelector('.choose-status'); if (line) line.textContent = text; };
const send = async (files) => {
  const at = zone(), pictures = [...files].slice(0, Number(at.dataset.most));
  if (!pictures.length || at.classList.contains('busy')) return;
  const form = new FormData();
  pictures.forEach((file) => form.append('files', file, file.name));
  at.classList.add('busy');
  told(at.dataset.sending);
  try {
    const answer = await fetch('gradio_api/upload', {method: 'POST', body: form});
    if (!answer.ok) throw new Error(answer.status === 413 ? at.dataset.large : at.dataset.failed);
    trigger('dropped', {paths: await answer.json()});
    told('');
  } catch (error) {
    told(error instanceof TypeError ? at.dataset.failed : error.message);
  } finally {
    at.classList.remove('busy');
  }
};
element.addEventListener('change', (event) => {
  if (event.target.type !== 'file') return;
  send(event.target.files);
  event.target.value = '';
});
['dragover', 'dragenter'].forEach((kind) => element.addEventListener(kind, (event) => {
  if (!zone()) return;
  event.preventDefault();
  zone().classList.add('over');
}));
element.addEventListener('dragleave', (event) => {
  if (zone() && !element.contains(event.relatedTarget)) zone().classList.remove('over');
});
element.addEventListener('drop', (event) => {
  if (!zone()) return;
  event.preventDefault();
  zone().classList.remove('over');
  send(event.dataTransfer.files);
});
