// Before the styles of any part: it says which layer goes before which.
import './style.css'
import { render } from 'preact'
import { App } from './app.tsx'
import { takeFirstView } from './ask.ts'
import { loadLabels } from './parts/figures.tsx'
import { loadTheme } from './parts/theme.ts'

loadTheme()
loadLabels()
takeFirstView(document)
const root = document.getElementById('app')
if (root === null) throw new Error('there is no place for the page')
render(<App />, root)
