import { DuckDBInstance } from '@duckdb/node-api'

/** Asks DuckDB; amounts come as decimal texts. */
export async function askDuckDb<Row>(sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Row[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
