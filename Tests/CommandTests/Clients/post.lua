-- For wrk: a POST of the body in the file named by its first argument.
local file = "body.json"

function init(arguments)
    file = arguments[1]
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = io.open(file):read("a")
end
