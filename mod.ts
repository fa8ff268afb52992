/**
 * dpo-kit: Direct Preference Optimization with LoRA, in TypeScript.
 *
 * ```ts
 * import { buildModels, encodePairs, loadTriplets, trainDpo } from "@dpo-kit/dpo-kit";
 *
 * const triplets = await loadTriplets("phase2_data/dpo/train_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 8));
 * for await (const event of trainDpo(models, rows, { beta: 0.1 })) console.log(event.type);
 * ```
 *
 * @module
 */
export * from "./lib/types.ts";
export * from "./lib/errors.ts";
export { createRandom, type Random, shuffle } from "./lib/random.ts";

export {
  type BackendDescription,
  type BackendName,
  describeBackend,
  useBackend,
  type UseBackendOptions,
} from "./lib/backend/use_backend.ts";

export {
  corruptDetail,
  type CorruptDetailOptions,
  type CorruptedDetail,
} from "./lib/data/hard_negatives.ts";
export { DETAIL_KINDS, type DetailKind } from "./lib/data/details/change.ts";
export { loadExamples, type LoadExamplesOptions } from "./lib/data/load_examples.ts";
export type { ReadReport, ReadRowsOptions } from "./lib/data/read_rows.ts";
export { loadSourceTexts, type SourceText } from "./lib/data/load_source_texts.ts";
export { loadTriplets } from "./lib/data/load_triplets.ts";
export { loadTestTriplets } from "./lib/data/load_test_triplets.ts";
export type { TestTriplet } from "./lib/data/triplet_schema.ts";
export { readTriplets } from "./lib/data/read_triplets.ts";
export { saveTriplets } from "./lib/data/save_triplets.ts";
export { splitTriplets, type SplitTripletsOptions } from "./lib/data/split_triplets.ts";
export { readTable, type TableRow } from "./lib/data/read_table.ts";
export { tripletSchema } from "./lib/data/triplet_schema.ts";

export {
  type HallucinationResult,
  type KindCount,
  measureHallucination,
  type MeasureHallucinationOptions,
  type UnsupportedDetail,
} from "./lib/meter/measure_hallucination.ts";
export { CLAIM_KINDS, type ClaimKind } from "./lib/meter/claims.ts";
export { type HallucinationSums, sumHallucination } from "./lib/meter/sum_hallucination.ts";

export {
  type DroppedChanges,
  makeNegatives,
  type MakeNegativesOptions,
  type NegativeLimits,
} from "./lib/negatives/make_negatives.ts";
export {
  type HardTriplet,
  type TableTriplets,
  tripletsFromTable,
  type TripletsFromTableOptions,
} from "./lib/negatives/triplets_from_table.ts";

export { loadTokenizer } from "./lib/tokenizer/load_tokenizer.ts";
export type { Tokenizer } from "./lib/tokenizer/tokenizer.ts";
export {
  encodeExample,
  encodePair,
  type EncodePairOptions,
  encodePrompt,
} from "./lib/tokenizer/encode_pair.ts";
export {
  type EncodeAllOptions,
  type EncodedRows,
  encodeExamples,
  encodePairs,
} from "./lib/tokenizer/encode_all.ts";
export { packExamples, packPairs, packPrompts } from "./lib/tokenizer/token_batch.ts";

export type { AttentionWindows, FamilyName, ModelConfig } from "./lib/model/model_config.ts";
export type { RopeScaling } from "./lib/layers/rope_frequencies.ts";
export {
  type Adapters,
  type Gradients,
  type Network,
  type Precision,
  precisions,
} from "./lib/model/network.ts";
export { type GradientOptions, tokenGradients } from "./lib/model/token_gradients.ts";
export { tokenLogProbs } from "./lib/model/token_log_probs.ts";
export { tokenLogits } from "./lib/model/token_logits.ts";
export type { LowRank } from "./lib/layers/linear.ts";

export {
  initLora,
  type LoraAdapter,
  type LoraConfig,
  loraScale,
  resolveTargetModules,
} from "./lib/lora/lora_adapter.ts";
export { disposeAdapters, uploadAdapter } from "./lib/lora/upload_adapter.ts";

export {
  dpoLoss,
  type DpoLossOptions,
  type DpoLossResult,
  type PairLogProbs,
} from "./lib/loss/dpo_loss.ts";
export type { LossOptions } from "./lib/loss/loss_options.ts";
export {
  FORMER_LOSS_NAMES,
  type LossName,
  type LossType,
  lossTypes,
} from "./lib/loss/loss_types.ts";
export {
  divergenceScore,
  F_DIVERGENCES,
  type FDivergence,
  type Score,
} from "./lib/loss/f_divergence.ts";
export { type WpoInputs, wpoWeights } from "./lib/loss/wpo_weights.ts";
export { logSigmoid, sigmoid } from "./lib/loss/log_sigmoid.ts";
export {
  addPairs,
  createMetricSums,
  type JudgedPairs,
  meanMetrics,
  type MetricSums,
} from "./lib/loss/preference_metrics.ts";

export {
  type AdamWState,
  initAdamW,
  updateAdamW,
  type UpdateAdamWOptions,
} from "./lib/optim/adamw.ts";
export { clipByGlobalNorm } from "./lib/optim/clip.ts";
export {
  learningRateAt,
  type LearningRateAtOptions,
  type Schedule,
  schedules,
} from "./lib/optim/schedule.ts";

export { buildModels, type BuildModelsOptions, type Models } from "./lib/train/build_models.ts";
export { loadModels, type LoadModelsOptions } from "./lib/train/load_models.ts";
export { describeModel, type ModelSource } from "./lib/train/load_source.ts";
export type { Trainable } from "./lib/train/trainable.ts";
export { joinLogProbs, type PairSums } from "./lib/train/pair_sums.ts";
export { scorePairs, type ScorePairsOptions } from "./lib/train/score_pairs.ts";
export { pickPairs, type PreferenceBatch, preferenceBatch } from "./lib/train/preference_batch.ts";
export {
  dpoGradients,
  type DpoGradientsOptions,
  dpoStep,
  type DpoStepMetrics,
  type DpoStepOptions,
} from "./lib/train/dpo_step.ts";
export type { UpdateStepOptions } from "./lib/train/update_step.ts";
export { evaluate, type EvaluateOptions } from "./lib/train/evaluate.ts";
export type { MemoryReading, Warning } from "./lib/train/guards.ts";
export { trainDpo, type TrainDpoOptions } from "./lib/train/train_dpo.ts";
export { trainControl, type TrainControlOptions } from "./lib/train/train_control.ts";
export { trainSft, type TrainSftOptions } from "./lib/train/train_sft.ts";
export type {
  Metrics,
  RowsOrigin,
  RunOrigin,
  TrainEvent,
  TrainLoopOptions,
} from "./lib/train/train_types.ts";
export type { TrainState } from "./lib/train/train_state.ts";
export { type ExtraFiles, saveAdapter } from "./lib/train/save_model.ts";
export {
  type EncodedRow,
  type Estimate,
  estimate,
  type EstimateOptions,
} from "./lib/estimate/estimate.ts";
export type { Hardware } from "./lib/estimate/hardware.ts";
export type { RunMemory } from "./lib/estimate/run_memory.ts";
export type { GenerateTokensOptions } from "./lib/model/generate_tokens.ts";
export { generate, type Generated, type GenerateOptions } from "./lib/evaluate/generate.ts";
export {
  mergeAdapter,
  type MergeAdapterOptions,
  type MergedModel,
  type MergeDtype,
  mergeDtypes,
} from "./lib/convert/merge_adapter.ts";
export { quantize, type Quantized, type QuantizeOptions } from "./lib/convert/quantize.ts";
export { type QuantType, quantTypeOfBits, quantTypes } from "./lib/convert/quant_types.ts";
export {
  compareQuantized,
  type CompareQuantizedOptions,
  type PairOpinion,
  type QuantizedComparison,
} from "./lib/convert/compare_quantized.ts";
export {
  compareQuantizedTexts,
  type CompareQuantizedTextsOptions,
  type QuantizedTexts,
  type TextScores,
} from "./lib/evaluate/compare_quantized_texts.ts";
export {
  type Compared,
  evaluateModels,
  type EvaluateModelsOptions,
  type ModelName,
  type ModelsEvaluation,
} from "./lib/evaluate/evaluate_models.ts";
export type { BootstrapOptions, Estimated, Interval } from "./lib/evaluate/bootstrap.ts";
export type { AnswerScores } from "./lib/evaluate/judge_answers.ts";
export {
  GENERATION_MEASURES,
  type GenerationMeasure,
  type GenerationScores,
  type JudgedText,
} from "./lib/evaluate/judge_generation.ts";
export type { JudgedPreference, PreferenceReport } from "./lib/evaluate/judge_preference.ts";
export type { Task, WrittenText } from "./lib/evaluate/write_texts.ts";
export {
  type PairRecord,
  type PairsRecord,
  pairsRecord,
  type PairsRecordOptions,
  readPairs,
  type RecordedTokens,
} from "./lib/evaluate/pairs_record.ts";
export {
  type AnswerTokens,
  type PairTokens,
  tokenRatios,
  type TokenRatiosOptions,
} from "./lib/evaluate/token_ratios.ts";
export { type EvaluationOrigin, evaluationRecord } from "./lib/evaluate/evaluation_record.ts";
export {
  type DetailCounts,
  type EvaluationRecord,
  evaluationSchema,
  type Intervals,
  type MeasureRecord,
  type PreferenceMeans,
  type PreferenceRecord,
  readEvaluation,
} from "./lib/evaluate/evaluation_schema.ts";
export { openPolicy } from "./lib/evaluate/open_policy.ts";
export { type Verdict, verdictOf } from "./lib/evaluate/verdict.ts";
export {
  type LintCheck,
  type LintCheckName,
  lintTriplets,
  type LintTripletsOptions,
} from "./lib/evaluate/lint_triplets.ts";
export type { LintedRow } from "./lib/evaluate/lint_checks.ts";
export type { RowPlace } from "./lib/row_place.ts";
export { type Readiness, readiness, type ReadinessCheck } from "./lib/evaluate/readiness.ts";
export type { ReadinessWarning } from "./lib/evaluate/readiness_warnings.ts";
export { type RunStats, runStatsSchema } from "./lib/evaluate/run_stats.ts";

export type { Figure, FigureAxis, FigureLayout, FigureTrace } from "./lib/notebook/figure.ts";
export type { Broadcast } from "./lib/notebook/kernel.ts";
export { showFigure } from "./lib/notebook/show_figure.ts";
export { startNotebook, stopSignal } from "./lib/notebook/start_notebook.ts";
export { type WatchedRun, watchTraining } from "./lib/notebook/watch_training.ts";
