wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"agent":"refunds","input":"order 42 arrived broken"}'
