import { mergeRulesSchema, type MergeRules } from '#shared/domain/merge.ts';
import { repeatRulesSchema, type RepeatRules } from '#shared/domain/repeats.ts';
import { defaultRoot, readJson } from './load.ts';

/**
 * What makes calls one event, and what makes a matter come again: shared by all districts. Apart from `load.ts`, because
 * one function alone compares calls. @throws when a file cannot be read or breaks a rule.
 */
export const loadRelations = (root = defaultRoot()): { merging: MergeRules; repeating: RepeatRules } => ({
  merging: mergeRulesSchema.parse(readJson(root, 'merge.json')),
  repeating: repeatRulesSchema.parse(readJson(root, 'repeats.json')),
});
