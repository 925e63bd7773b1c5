import { readFileSync } from 'node:fs'
import { type DefinitionNode, parse } from 'graphql'
import { expect, test } from 'vitest'

/** Names of all that has no description, "Type.field" for fields, enum values and inputs. */
function undescribed(file: string): string[] {
  const { definitions } = parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
  return definitions.flatMap((definition: DefinitionNode) => {
    if (!('name' in definition) || definition.name === undefined) return []
    const type = definition.name.value
    const members = [
      ...('fields' in definition ? (definition.fields ?? []) : []),
      ...('values' in definition ? (definition.values ?? []) : []),
    ].filter((member) => !('description' in member) || !member.description?.value)
    const names = members.map((member) => ('name' in member ? `${type}.${member.name.value}` : type))
    const isRoot = type === 'Query'
    return !isRoot && !('description' in definition && definition.description?.value) ? [type, ...names] : names
  })
}

test.each(['schema.graphql', 'api/schema.graphql'])('%s describes every type, field and enum value', (file) => {
  expect(undescribed(file)).toEqual([])
})
