// Small comforts of the dashboard. Every page works without them.
(function () {
  'use strict';
  var root = document.documentElement;
  var theme = null;
  try { theme = localStorage.getItem('cadre-theme'); } catch (e) { /* no storage, no memory */ }
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  root.classList.add('js');

  function two(n) { return (n < 10 ? '0' : '') + n; }

  function ago(ms) {
    var past = ms >= 0, s = Math.round(Math.abs(ms) / 1000), words;
    if (s < 60) words = s + ' s';
    else if (s < 3600) words = Math.round(s / 60) + ' min';
    else if (s < 172800) words = Math.round(s / 3600) + ' h';
    else words = Math.round(s / 86400) + ' days';
    return past ? words + ' ago' : 'in ' + words;
  }

  // Times in the reader's zone; the moment in UTC and how long ago stand in the title.
  function times(part) {
    part.querySelectorAll('time[datetime]').forEach(function (t) {
      var d = new Date(t.getAttribute('datetime'));
      if (isNaN(d)) return;
      t.textContent = d.getFullYear() + '-' + two(d.getMonth() + 1) + '-' + two(d.getDate()) + ' ' +
        two(d.getHours()) + ':' + two(d.getMinutes()) + ':' + two(d.getSeconds());
      t.title = ago(Date.now() - d) + ' (' + t.getAttribute('datetime') + ')';
    });
  }

  document.addEventListener('DOMContentLoaded', function () {
    times(document);
    // A menu that is wider than the screen shows where one is.
    document.querySelectorAll('nav [aria-current]').forEach(function (a) {
      var nav = a.parentNode;
      if (nav.scrollWidth > nav.clientWidth) nav.scrollLeft = a.offsetLeft - nav.clientWidth / 2 + a.offsetWidth / 2;
    });
  });
  document.addEventListener('htmx:afterSwap', function () { times(document); });

  document.addEventListener('click', function (event) {
    var button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.copy) {
      var source = document.getElementById(button.dataset.copy);
      navigator.clipboard.writeText(source.textContent).then(function () {
        var was = button.textContent;
        button.textContent = 'Copied';
        setTimeout(function () { button.textContent = was; }, 1500);
      });
    }
    if (button.dataset.theme !== undefined) {
      var dark = root.dataset.theme ? root.dataset.theme === 'dark'
        : matchMedia('(prefers-color-scheme: dark)').matches;
      root.dataset.theme = dark ? 'light' : 'dark';
      try { localStorage.setItem('cadre-theme', root.dataset.theme); } catch (e) { /* as above */ }
    }
  });

  // Choosing an environment goes there.
  document.addEventListener('change', function (event) {
    if (event.target.dataset && event.target.dataset.go !== undefined) location.href = event.target.value;
  });
})();
