export { type Checks, checks, MAX_COUNT, MAX_DIMENSIONS, MAX_PAYLOAD_BYTES, type Refuse } from './checks.ts'
export {
  type FoundVector,
  type PartitionedVectors,
  type PartitionedVectorsOptions,
  partitionedVectors,
  type StoredVector,
} from './partitioned-vectors.ts'
export { type RowStore, rowStore } from './row-store.ts'
export {
  type Neighbour,
  NOWHERE,
  type Placed,
  type Search,
  type VectorIndex,
  type VectorIndexOptions,
  vectorIndex,
} from './vector-index.ts'
