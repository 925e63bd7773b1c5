import type { Checked } from './merkle-proof.ts'

const WIDTH = 340
const BOX = 140
const ROW = 58
const HEIGHT = 26

const short = (hash: string) => `${hash.slice(0, 8)}…${hash.slice(-6)}`

/**
 * The path from the root above down to the leaf: at each level the hash that the path goes through, and the one beside it
 * that the proof gives, in the order they are hashed. The list beside it says the same.
 */
export function PathDrawing({ checked: { leaf, steps, root } }: { checked: Checked }) {
  // Levels from the leaf up: what the path came to, and which side of its pair it is on.
  const nodes = [leaf, ...steps.map(({ result }) => result)]
  const y = (level: number) => (nodes.length - 1 - level) * ROW + 4
  const side = (isFirst: boolean) => (isFirst ? 0 : WIDTH - BOX)
  const x = (level: number) => {
    const step = steps[level]
    return step === undefined ? (WIDTH - BOX) / 2 : side(step.isFirst)
  }
  const height = (nodes.length - 1) * ROW + HEIGHT + 8
  return (
    <svg
      class="proof-path"
      viewBox={`-2 0 ${WIDTH + 4} ${height}`}
      role="img"
      aria-label={`The path from the leaf ${short(leaf)} up ${steps.length} levels to ${short(root)}`}
    >
      {steps.map(({ sibling, isFirst }, level) => {
        const up = { x: x(level + 1) + BOX / 2, y: y(level + 1) + HEIGHT }
        const line = (from: number) => `M${from + BOX / 2} ${y(level)}V${y(level) - 14}H${up.x}V${up.y}`
        return (
          <g key={`${sibling} ${nodes[level]}`}>
            <path class="to-sibling" d={line(side(!isFirst))} />
            <path class="to-node" d={line(side(isFirst))} />
            <Box x={side(!isFirst)} y={y(level)} kind="sibling" hash={sibling} />
          </g>
        )
      })}
      {nodes.map((node, level) => (
        <Box
          key={node}
          x={x(level)}
          y={y(level)}
          kind={level === 0 ? 'leaf' : level === nodes.length - 1 ? 'root' : 'node'}
          hash={node}
        />
      ))}
    </svg>
  )
}

function Box({ x, y, kind, hash }: { x: number; y: number; kind: string; hash: string }) {
  return (
    <g class={`hash-box ${kind}`}>
      <title>{hash}</title>
      <rect x={x} y={y} width={BOX} height={HEIGHT} rx="4" />
      <text x={x + BOX / 2} y={y + 17.5} text-anchor="middle">
        {short(hash)}
      </text>
    </g>
  )
}
