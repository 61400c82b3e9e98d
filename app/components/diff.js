// What an edit changes, word by word: struck out what goes, marked what comes.

// Beyond so many pairs of words the changed middle is shown as replaced whole.
const MOST_PAIRS = 4_000_000;

function pieces(text) {
  return text.match(/\s+|\S+/g) ?? [];
}

// [kind, text] in order; kind is "same", "del" or "ins".
function wordDiff(before, after) {
  const one = pieces(before);
  const other = pieces(after);
  let head = 0;
  while (head < one.length && head < other.length && one[head] === other[head]) head += 1;
  let tail = 0;
  while (
    tail < one.length - head &&
    tail < other.length - head &&
    one[one.length - 1 - tail] === other[other.length - 1 - tail]
  )
    tail += 1;
  const middle = diffOf(one.slice(head, one.length - tail), other.slice(head, other.length - tail));
  return [
    ["same", one.slice(0, head).join("")],
    ...middle,
    ["same", one.slice(one.length - tail).join("")],
  ].filter(([, text]) => text);
}

function diffOf(one, other) {
  if (one.length * other.length > MOST_PAIRS) return [["del", one.join("")], ["ins", other.join("")]];
  const width = other.length + 1;
  const longest = new Uint32Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i -= 1)
    for (let k = other.length - 1; k >= 0; k -= 1)
      longest[i * width + k] =
        one[i] === other[k]
          ? longest[(i + 1) * width + k + 1] + 1
          : Math.max(longest[(i + 1) * width + k], longest[i * width + k + 1]);
  const found = [];
  const add = (kind, text) => {
    const last = found[found.length - 1];
    if (last && last[0] === kind) last[1] += text;
    else found.push([kind, text]);
  };
  let i = 0;
  let k = 0;
  while (i < one.length || k < other.length) {
    if (i < one.length && k < other.length && one[i] === other[k]) {
      add("same", one[i]);
      i += 1;
      k += 1;
    } else if (
      k === other.length ||
      (i < one.length && longest[(i + 1) * width + k] >= longest[i * width + k + 1])
    ) {
      add("del", one[i]);
      i += 1;
    } else {
      add("ins", other[k]);
      k += 1;
    }
  }
  return found;
}

// The diff as elements; nothing when nothing changed.
function showDiff(place, before, after) {
  if (before === after) {
    place.hidden = true;
    place.replaceChildren();
    return;
  }
  place.hidden = false;
  place.replaceChildren(
    make("span", { class: "sm-quiet" }, "Your edit: "),
    ...wordDiff(before, after).map(([kind, text]) => (kind === "same" ? text : make(kind, {}, text))),
  );
}
