;; The two inner loops of the index. `scripts/assemble.ts` turns this text into `src/kernel-bytes.ts`.
;;
;; A chunk is `rows` rows of `width` numbers (a multiple of 16) at an address that is a multiple of 16:
;;   rows x width      int8, the row divided by its step and rounded; four rows together, eight numbers of each in turn, so that
;;                     the scan reads straight on
;;   rows x 4 bytes    f32, the step of each row
;;   rows x 4 bytes    f32, how far the rounding can have moved its cosine (-infinity where the row is free)
;;   rows x width x 4  f32, the row itself
(module
  (import "index" "memory" (memory 1))

  ;; Looks at every row of `count` chunks, whose addresses stand at `chunks`, and writes each whose cosine may be above `least` to
  ;; `out`: its number (i32, counted through the chunks) and what its cosine is at most (f32). Gives how many it wrote.
  ;; `query` is int16, `step` what its numbers were divided by. Four rows at a time, so that each part of the query is read once for
  ;; four. The caller sees to it that the sums fit 32 bits.
  (func (export "scan")
    (param $query i32) (param $step f32) (param $width i32) (param $rows i32)
    (param $chunks i32) (param $count i32) (param $least f32) (param $out i32) (result i32)
    (local $chunk i32) (local $base i32) (local $steps i32) (local $stepsEnd i32) (local $at i32) (local $end i32)
    (local $part i32) (local $row i32) (local $found i32) (local $mask i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $q v128) (local $most v128)
    (local.set $found (local.get $out))
    (local.set $end (i32.add (local.get $query) (i32.shl (local.get $width) (i32.const 1))))
    (block $done
      (loop $nextChunk
        (br_if $done (i32.ge_u (local.get $chunk) (local.get $count)))
        (local.set $base (i32.load (i32.add (local.get $chunks) (i32.shl (local.get $chunk) (i32.const 2)))))
        (local.set $part (local.get $base))
        (local.set $steps (i32.add (local.get $base) (i32.mul (local.get $rows) (local.get $width))))
        (local.set $stepsEnd (i32.add (local.get $steps) (i32.shl (local.get $rows) (i32.const 2))))
        (loop $nextFour
          (local.set $a0 (v128.const i32x4 0 0 0 0))
          (local.set $a1 (v128.const i32x4 0 0 0 0))
          (local.set $a2 (v128.const i32x4 0 0 0 0))
          (local.set $a3 (v128.const i32x4 0 0 0 0))
          (local.set $at (local.get $query))
          (loop $nextPart
            (local.set $q (v128.load (local.get $at)))
            (local.set $a0 (i32x4.add (local.get $a0) (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $part)) (local.get $q))))
            (local.set $a1 (i32x4.add (local.get $a1) (i32x4.dot_i16x8_s (v128.load8x8_s offset=8 (local.get $part)) (local.get $q))))
            (local.set $a2 (i32x4.add (local.get $a2) (i32x4.dot_i16x8_s (v128.load8x8_s offset=16 (local.get $part)) (local.get $q))))
            (local.set $a3 (i32x4.add (local.get $a3) (i32x4.dot_i16x8_s (v128.load8x8_s offset=24 (local.get $part)) (local.get $q))))
            (local.set $q (v128.load offset=16 (local.get $at)))
            (local.set $a0 (i32x4.add (local.get $a0) (i32x4.dot_i16x8_s (v128.load8x8_s offset=32 (local.get $part)) (local.get $q))))
            (local.set $a1 (i32x4.add (local.get $a1) (i32x4.dot_i16x8_s (v128.load8x8_s offset=40 (local.get $part)) (local.get $q))))
            (local.set $a2 (i32x4.add (local.get $a2) (i32x4.dot_i16x8_s (v128.load8x8_s offset=48 (local.get $part)) (local.get $q))))
            (local.set $a3 (i32x4.add (local.get $a3) (i32x4.dot_i16x8_s (v128.load8x8_s offset=56 (local.get $part)) (local.get $q))))
            (local.set $part (i32.add (local.get $part) (i32.const 64)))
            (br_if $nextPart (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (local.get $end))))
          ;; The four sums of four lanes each become one vector of four sums.
          (local.set $a0
            (i32x4.add
              (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a0) (local.get $a1))
              (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a0) (local.get $a1))))
          (local.set $a2
            (i32x4.add
              (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a2) (local.get $a3))
              (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a2) (local.get $a3))))
          (local.set $a0
            (i32x4.add
              (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a0) (local.get $a2))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a0) (local.get $a2))))
          (local.set $most
            (f32x4.add
              (f32x4.mul
                (f32x4.convert_i32x4_s (local.get $a0))
                (f32x4.mul (v128.load (local.get $steps)) (f32x4.splat (local.get $step))))
              (v128.load (i32.add (local.get $steps) (i32.shl (local.get $rows) (i32.const 2))))))
          (local.set $mask (i32x4.bitmask (f32x4.gt (local.get $most) (f32x4.splat (local.get $least)))))
          (if (local.get $mask)
            (then
              (if (i32.and (local.get $mask) (i32.const 1))
                (then
                  (i32.store (local.get $found) (local.get $row))
                  (f32.store offset=4 (local.get $found) (f32x4.extract_lane 0 (local.get $most)))
                  (local.set $found (i32.add (local.get $found) (i32.const 8)))))
              (if (i32.and (local.get $mask) (i32.const 2))
                (then
                  (i32.store (local.get $found) (i32.add (local.get $row) (i32.const 1)))
                  (f32.store offset=4 (local.get $found) (f32x4.extract_lane 1 (local.get $most)))
                  (local.set $found (i32.add (local.get $found) (i32.const 8)))))
              (if (i32.and (local.get $mask) (i32.const 4))
                (then
                  (i32.store (local.get $found) (i32.add (local.get $row) (i32.const 2)))
                  (f32.store offset=4 (local.get $found) (f32x4.extract_lane 2 (local.get $most)))
                  (local.set $found (i32.add (local.get $found) (i32.const 8)))))
              (if (i32.and (local.get $mask) (i32.const 8))
                (then
                  (i32.store (local.get $found) (i32.add (local.get $row) (i32.const 3)))
                  (f32.store offset=4 (local.get $found) (f32x4.extract_lane 3 (local.get $most)))
                  (local.set $found (i32.add (local.get $found) (i32.const 8)))))))
          (local.set $row (i32.add (local.get $row) (i32.const 4)))
          (br_if $nextFour
            (i32.lt_u (local.tee $steps (i32.add (local.get $steps) (i32.const 16))) (local.get $stepsEnd))))
        (local.set $chunk (i32.add (local.get $chunk) (i32.const 1)))
        (br $nextChunk)))
    (i32.shr_u (i32.sub (local.get $found) (local.get $out)) (i32.const 3)))

  ;; The sum of products of two rows of `width` f32 numbers. Four sums of four lanes, so that additions need not wait for each other.
  (func (export "dot") (param $one i32) (param $other i32) (param $width i32) (result f32)
    (local $end i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128)
    (local.set $end (i32.add (local.get $one) (i32.shl (local.get $width) (i32.const 2))))
    (loop $next
      (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (v128.load (local.get $one)) (v128.load (local.get $other)))))
      (local.set $a1
        (f32x4.add (local.get $a1) (f32x4.mul (v128.load offset=16 (local.get $one)) (v128.load offset=16 (local.get $other)))))
      (local.set $a2
        (f32x4.add (local.get $a2) (f32x4.mul (v128.load offset=32 (local.get $one)) (v128.load offset=32 (local.get $other)))))
      (local.set $a3
        (f32x4.add (local.get $a3) (f32x4.mul (v128.load offset=48 (local.get $one)) (v128.load offset=48 (local.get $other)))))
      (local.set $other (i32.add (local.get $other) (i32.const 64)))
      (br_if $next (i32.lt_u (local.tee $one (i32.add (local.get $one) (i32.const 64))) (local.get $end))))
    (local.set $a0 (f32x4.add (f32x4.add (local.get $a0) (local.get $a1)) (f32x4.add (local.get $a2) (local.get $a3))))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $a0)) (f32x4.extract_lane 1 (local.get $a0)))
      (f32.add (f32x4.extract_lane 2 (local.get $a0)) (f32x4.extract_lane 3 (local.get $a0))))))
