/** The rule in wrangler.jsonc bundles the files of the page as text. */
declare module "*/page/index.html" {
  const text: string;
  export default text;
}
declare module "*/page/app.css" {
  const text: string;
  export default text;
}
declare module "*/page/app.js" {
  const text: string;
  export default text;
}
declare module "*/page/client.js" {
  const text: string;
  export default text;
}
