import { conceptsSchema, type Concepts } from './concepts.ts';
import { openModel, type Model } from './model.ts';

/** What only reading needs: meanings and the trained model. Large, so that functions that read no texts load none. */
export type Learned = { concepts: Concepts; model: Model };

/** Opens concepts.json and model.json. @throws when one of them is damaged, or the model was trained on others. */
export const openLearned = (files: { concepts: unknown; model: unknown }): Learned => ({
  concepts: conceptsSchema.parse(files.concepts),
  model: openModel(files.model),
});
