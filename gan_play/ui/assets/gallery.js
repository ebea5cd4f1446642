// The wall of kept works is hung anew when one was kept or taken down, here or in another tab.
let hung = '';

regularly(4, async () => {
  const now = await server.stamped('');
  if (now === hung) return;
  hung = now;
  trigger('look', {});
});

