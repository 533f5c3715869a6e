// SPDX-License-Identifier: BSD-3-Clause
//
// A client of awkward.yaml with the types that openapi-typescript has made of its /openapi.json: compiled, and not run.

import type { operations, paths } from "./api";

type JsonOf<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;
type ProblemOf<Answer> = Answer extends { content: { "application/problem+json": infer Body } } ? Body : never;

const path = "/requests/all%20types%2F%C3%B6%C3%A4" satisfies keyof paths;
type Get = paths[typeof path]["get"];
type Post = paths[typeof path]["post"];

declare const data: JsonOf<Get["responses"][200]>;
export const total = data.results.total;
export const words = data.results["two words"];
export const first = data.results["each[0]"];
export const elapsed: number | undefined = data.timing.elapsed_ms;
export const code: string | undefined = data.errors["total"]?.code;
// @ts-expect-error: errors are not numbers
export const number: number = data.errors["total"];

declare const fixed: JsonOf<paths["/requests/change"]["post"]["responses"][200]>;
export const changed = fixed.results.n;
// @ts-expect-error: it has no such query
export const other = fixed.results.m;
// @ts-expect-error: it takes POST only
export const none: paths["/requests/change"]["get"] & string = "";

// Columns are known once the request has run.
declare const known: JsonOf<paths["/requests/known"]["get"]["responses"][200]>;
const row = known.results.pair.rows[0]!;
export const cell: unknown = Array.isArray(row) ? row[1] : row["the b"];
// @ts-expect-error: it has no such column
export const third: unknown = Array.isArray(row) ? row[2] : row.a;
// @ts-expect-error: nor by name
export const none_such: unknown = Array.isArray(row) ? row[0] : row.b;

declare const partial: JsonOf<paths["/requests/partial"]["get"]["responses"][200]>;
export const perhaps = partial.results.b;

declare const problem: ProblemOf<Get["responses"][429]>;
export const why: string = problem.detail;
export const seconds: number | undefined = undefined as unknown as Get["responses"][429]["headers"]["Retry-After"];

export const query: NonNullable<Get["parameters"]["query"]> = { shape: "square", session: "mine", ids: [1], arrays: "text" };
export const body: NonNullable<Post["requestBody"]>["content"]["application/json"] =
  { shape: null, session: "mine", "a b": null, ids: [1, null] };
export const options: NonNullable<Post["parameters"]["query"]> = { shape: "objects" };
// @ts-expect-error: it has to be given
export const short: NonNullable<Post["requestBody"]>["content"]["application/json"] = { shape: "square" };

export type Names = operations["get_all_types_____"] | operations["get_all_types______2"];
