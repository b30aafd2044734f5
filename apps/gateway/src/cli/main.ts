#!/usr/bin/env node
import { switchyardProgram } from './program.ts'

await switchyardProgram().parseAsync()
