// Where no model is in hand it asks, now and then, for the first one that can be played with.
regularly(5, async () => {
  if (!document.querySelector('#play-digest textarea')?.value) trigger('look', {});
}, () => field('model'));
