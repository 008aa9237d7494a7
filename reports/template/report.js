(function () {
  function key(cell) {
    var raw = cell.getAttribute('data-v');
    if (raw !== null) return parseFloat(raw);
    return cell.textContent;
  }
  function compare(a, b) {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  document.querySelectorAll('table.sortable').forEach(function (table) {
    table.querySelectorAll('thead th').forEach(function (th) {
      var button = document.createElement('button');
      button.type = 'button';
      button.textContent = th.textContent;
      th.textContent = '';
      th.appendChild(button);
      button.addEventListener('click', function () {
        var place = th.cellIndex, body = table.tBodies[0];
        var sign = th.getAttribute('aria-sort') === 'descending' ? 1 : -1;
        table.querySelectorAll('th[aria-sort]').forEach(function (one) { one.removeAttribute('aria-sort'); });
        th.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
        Array.from(body.rows).map(function (row) { return { row: row, key: key(row.cells[place]) }; })
          .sort(function (a, b) { return sign * compare(a.key, b.key); })
          .forEach(function (one) { body.appendChild(one.row); });
      });
    });
  });
  document.querySelectorAll('.filter').forEach(function (filter) {
    var scope = filter.parentNode, told = filter.querySelector('output');
    filter.hidden = false;
    filter.querySelector('input').addEventListener('input', function (event) {
      var wanted = event.target.value.toLowerCase(), shown = 0;
      var all = scope.querySelectorAll('tbody tr, article.finding');
      all.forEach(function (one) {
        one.hidden = one.textContent.toLowerCase().indexOf(wanted) < 0;
        if (!one.hidden) shown += 1;
      });
      if (wanted) scope.querySelectorAll('details').forEach(function (one) { one.open = true; });
      told.textContent = wanted ? shown + ' of ' + all.length : '';
    });
  });
  /* a link to a folded finding opens it, in browsers too that do not do so by themselves */
  function reveal() {
    var target = document.getElementById(location.hash.slice(1));
    var fold = target && target.closest('details');
    if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
  }
  window.addEventListener('hashchange', reveal);
  reveal();
})();
