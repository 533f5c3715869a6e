// The list of requests, as the service has them.
const list = document.getElementById("requests");
fetch("/api/requests").then((answer) => answer.json()).then(({ requests }) => {
  for (const { name, path } of requests) {
    const link = document.createElement("a");
    link.href = path;
    link.textContent = name;
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
});
