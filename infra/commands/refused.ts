/** The command line cannot be followed; the sentence says what to write instead. Exit code 2. */
export class WrongInput extends Error {
  override name = 'WrongInput';
}

/** What was asked for cannot be done; the sentence is all there is to say. Exit code 1. */
export class Refused extends Error {
  override name = 'Refused';
}
