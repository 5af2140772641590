import { listDistricts, loadDistrict, loadTexts } from '#shared/districts/load.ts';
import type { District } from '#shared/domain/district.ts';
import type { Ladder } from '#shared/domain/ladder.ts';
import { unready } from '#shared/domain/texts.ts';

/** What the stack needs to know of a street office: its id, its ladders, where it runs, and the bundles to run. */
export interface Office {
  readonly id: string;
  /** Every ladder of every kind and mode: the workflow shows the rungs of all of them. */
  readonly ladders: readonly Ladder[];
  /** Unclear incidents wait for the desk: the workflow begins with that rung. */
  readonly triage: boolean;
  readonly deploy: District['deploy'];
  readonly production: boolean;
  /** Folder that holds one bundle per verb, `<assets>/<verb>/index.mjs`. */
  readonly assets: string;
}

/** Settings that CloudFormation would only refuse, or silently bend, in the middle of a deployment. */
const checkDeployment = (id: string, { partition, region, xray, snsTexts }: District['deploy']): void => {
  if (partition === 'aws-cn' && xray)
    throw new Error(`${id}/policy.json deploy.xray: Lambda has no X-Ray in the China partition`);
  if (partition === 'aws-cn' && snsTexts)
    throw new Error(`${id}/policy.json deploy.snsTexts: SNS sends no texts in the China partition`);
  if (region !== undefined && region.startsWith('cn-') !== (partition === 'aws-cn'))
    throw new Error(
      `${id}/policy.json deploy.region: '${region}' is not a region of the partition '${partition}'`,
    );
};

/** Texts that nobody approved would be refused, or dropped without a word, on the first day of service. */
const checkTexts = (id: string, data: string | undefined, links: District['links']): void => {
  const lacking = unready(loadTexts(data, id), links);
  if (lacking.length > 0)
    throw new Error(
      `${id}/policy.json deploy.stage: 'production' needs approved texts:\n${lacking.map((one) => `  ${one}`).join('\n')}`,
    );
};

/**
 * Reads the street offices under `data`, in the order of their ids. Throws the sentence of `loadDistrict` for a file
 * that breaks a rule and for an unknown id.
 */
export const readOffices = ({
  data,
  assets,
  only = listDistricts(data),
}: {
  readonly data?: string | undefined;
  readonly assets: string;
  readonly only?: readonly string[] | undefined;
}): Office[] =>
  only.map((id) => {
    const { deploy, ladders, links, triage } = loadDistrict(id, data);
    checkDeployment(id, deploy);
    if (deploy.stage === 'production') checkTexts(id, data, links);
    return {
      id,
      ladders: Object.values(ladders).flatMap(({ peace, war }) => (war ? [peace, war] : [peace])),
      triage: triage.limit > 0,
      deploy,
      production: deploy.stage === 'production',
      assets,
    };
  });
