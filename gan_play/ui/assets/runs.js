// The list of runs: asked for every few seconds, at once when another run is watched, shown when it is new.
let listed = '';

regularly(4, async () => {
  const now = await server.list_runs([field('run'), field('owner')]);
  if (now === listed) return;
  listed = now;
  element.querySelector('.runs').outerHTML = listed;
}, () => field('run'));

