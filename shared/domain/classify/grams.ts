/** Runs of one to so many characters. */
const LONGEST = 3;
/** Beginning and end of a text, which say as much as a word: a headline ends without a mark. */
const EDGES = ['^', '$'] as const;
/** A masked district of a message board (A3区) is a district like any other. */
const AREAS = new Set('市区县州镇');

const isDigit = (char: string): boolean => char >= '0' && char <= '9';
const isLetter = (char: string): boolean => char >= 'a' && char <= 'z';

/** The characters a text is read by: numbers are one 0, masked districts one 某. With the place of each in the text. */
const charactersOf = (text: string): { char: string; start: number; end: number }[] => {
  const characters = [{ char: EDGES[0] as string, start: 0, end: 0 }];
  for (let at = 0; at < text.length;) {
    let end = at + 1;
    let char = text.charAt(at);
    const numbers = (from: number): number => {
      let to = from;
      while (
        isDigit(text.charAt(to)) ||
        (to > from && text.charAt(to) === '.' && isDigit(text.charAt(to + 1)))
      )
        to += 1;
      return to;
    };
    if (isDigit(char)) [char, end] = ['0', numbers(at)];
    else if (isLetter(char)) {
      const behind = numbers(end);
      if (AREAS.has(text.charAt(behind))) [char, end] = ['某', behind];
    }
    characters.push({ char, start: at, end });
    at = end;
  }
  characters.push({ char: EDGES[1], start: text.length, end: text.length });
  return characters;
};

/** Visits every run of one to three characters of a text, with its place. Linear in the text. */
export const eachGram = (text: string, visit: (gram: string, start: number, end: number) => void): void => {
  const characters = charactersOf(text);
  for (let at = 0; at < characters.length; at += 1) {
    let gram = '';
    const start = characters[at]?.start ?? 0;
    for (let next = at; next < Math.min(characters.length, at + LONGEST); next += 1) {
      const { char, end } = characters[next] ?? { char: '', end: start };
      // What was blanked is no character, and nothing reaches across it.
      if (char === '\0') break;
      gram += char;
      visit(gram, start, end);
    }
  }
};
