// The thin bar: asked for every few seconds, shown when it is new. A server that has started anew knows nothing of what
// this page has set: then the page begins anew too, and its address leads it back.
let [shown, server_id] = ['', ''];

regularly(4, async () => {
  const now = await server.bar([field('model'), field('owner')]);
  if (server_id && now.server !== server_id) location.reload();
  server_id = now.server;
  if (now.html === shown) return;
  shown = now.html;
  element.querySelector('.bar').outerHTML = shown;
}, () => field('model') + field('run'));

element.addEventListener('click', (event) => {
  const tab = event.target.closest('[data-tab]');
  if (tab) trigger('open', { tab: tab.dataset.tab, run: tab.dataset.run });
});
