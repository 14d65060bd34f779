using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Telemetry.Link;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;
using Spectre.Console;

namespace Dunlin.Fleet.Watching;

/// <summary>Follows a fleet on the broker and shows it: live table, lines, or once.</summary>
internal sealed class Watch(MqttOptions options, string fleet, IAnsiConsole console, TextWriter output, TextWriter errors, TimeProvider time)
{
    private static readonly string[] Kinds = ["status", "reported", "race", "telemetry", "result"];
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);
    private readonly string _clientId = "dunlin-fleet-watch-" + Guid.NewGuid().ToString("N")[..12];
    private readonly FleetView _view = new(fleet, time);
    private readonly Channel<(string Topic, byte[] Payload)> _messages =
        Channel.CreateBounded<(string, byte[])>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest });

    private string? _trouble;
    private IReadOnlyList<string> _refusals = [];

    private string Footer => options is { Tls: false, UserName: "" }
        ? string.Create(CultureInfo.InvariantCulture, $"Ctrl-C ends · every message: mosquitto_sub -h {options.Host} -p {(options.Port == 0 ? 1883 : options.Port)} -t '{Topics.Prefix}/{fleet}/#' -v")
        : $"Ctrl-C ends · broker {options.Host}";

    /// <summary>Exit code 69 if the broker is not to be had.</summary>
    public async Task<int> OnceAsync(TimeSpan collect, bool isJson, CancellationToken cancellationToken)
    {
        using var client = NewClient();
        if (!await TryConnectAsync(client, cancellationToken))
        {
            await errors.WriteLineAsync(_trouble);
            return ExitCodes.Unavailable;
        }

        using var enough = new CancellationTokenSource(collect, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        foreach (var refusal in _refusals) await errors.WriteLineAsync(refusal);
        await PumpAsync(isJson ? WriteJson : (_, _, _) => { }, either.Token);
        if (!isJson) console.Write(FleetTable.Render(_view, console.Profile.Width, int.MaxValue));
        return ExitCodes.Ok;
    }

    /// <summary>A line per message, until cancelled, or until nobody reads them; reconnects.</summary>
    public async Task<int> LinesAsync(bool isJson, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(message => errors.WriteLine(message), end.Token);
        await PumpAsync(isJson ? WriteJson : WriteLine, cancellationToken);
        await end.CancelAsync();
        await following;
        return ExitCodes.Ok;
    }

    /// <summary>The live table on its own screen; Ctrl-C gives the old one back.</summary>
    public async Task<int> LiveAsync(CancellationToken cancellationToken)
    {
        var following = FollowAsync(_ => { }, cancellationToken);
        var pumping = PumpAsync((_, _, _) => { }, cancellationToken);
        console.Profile.Out.Writer.Write("\e[?1049h\e[?25l");
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                console.Profile.Out.Writer.Write("\e[H");
                console.Write(FleetTable.Render(_view, console.Profile.Width, console.Profile.Height));
                console.Write(new Text((_trouble ?? Footer) + "\n", new Style(Color.Grey)));
                console.Profile.Out.Writer.Write("\e[J");
                await Task.Delay(Refresh, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            console.Profile.Out.Writer.Write("\e[?25h\e[?1049l");
            console.Profile.Out.Writer.Flush();
        }

        await Task.WhenAll(following, pumping);
        return ExitCodes.Ok;
    }

    private BrokerClient NewClient()
    {
        var client = new BrokerClient(time);
        client.MessageReceived += arrival =>
        {
            _messages.Writer.TryWrite((arrival.ApplicationMessage.Topic ?? "", arrival.ApplicationMessage.Payload.ToArray()));
            return Task.CompletedTask;
        };
        return client;
    }

    private async Task FollowAsync(Action<string> complain, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using var client = NewClient();
            if (await TryConnectAsync(client, cancellationToken))
            {
                foreach (var refusal in _refusals) complain(refusal);
                await ((Task)client.WaitForEndAsync(cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                _trouble = $"Lost the link to broker {options.Host}; connecting again.";
            }

            if (cancellationToken.IsCancellationRequested) return;
            complain(_trouble!);
            await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryConnectAsync(BrokerClient client, CancellationToken cancellationToken)
    {
        try
        {
            var result = await client.ConnectAsync(OperatorConnection.Options(options, OptionWords.Words, _clientId, time.GetUtcNow), cancellationToken);
            if (result.ResultCode != MqttClientConnectResultCode.Success)
            {
                _trouble = OperatorConnection.Describe(options, OptionWords.Words, _clientId, result);
                return false;
            }

            var filters = Kinds.Select(kind => new MQTTnet.Packets.MqttTopicFilter
            {
                Topic = Topics.OfAllDevices(fleet, kind),
                QualityOfServiceLevel = kind == "result" ? MqttQualityOfServiceLevel.AtMostOnce : MqttQualityOfServiceLevel.AtLeastOnce,
            });
            _refusals = [.. BrokerLink.Refusals(await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = [.. filters] }, cancellationToken))];
            _trouble = _refusals.Count > 0 ? _refusals[0] : null;
            return true;
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttClientNotConnectedException or IOException or InvalidOperationException
            or OperationCanceledException or TimeoutException or UnauthorizedAccessException)
        {
            _trouble = OperatorConnection.Describe(options, OptionWords.Words, _clientId, e);
            return false;
        }
    }

    private async Task PumpAsync(Action<DeviceView, string, byte[]> show, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (topic, payload) in _messages.Reader.ReadAllAsync(cancellationToken))
            {
                if (_view.Apply(topic, payload) is { } device) show(device, topic, payload);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C, or enough was collected.
        }
        catch (IOException e) when (StandardOutput.HasNoReader(e))
        {
            // Who read has what they wanted.
        }
    }

    /// <summary>As JSON; a message that is none when it is written again (text that is no Unicode, where nobody reads it) is garbage.</summary>
    private void WriteJson(DeviceView device, string topic, byte[] payload)
    {
        string line;
        try
        {
            line = JsonLine(device, topic, payload);
        }
        catch (InvalidOperationException)
        {
            _view.CountGarbage();
            return;
        }

        output.WriteLine(line);
        output.Flush();
    }

    /// <summary><c>{"device": …, "kind": …, "message": …}</c>; the message is known to be JSON.</summary>
    private static string JsonLine(DeviceView device, string topic, byte[] payload)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("device", device.Device);
            json.WriteString("kind", topic[(topic.LastIndexOf('/') + 1)..]);
            json.WritePropertyName("message");
            JsonElement.Parse(payload).WriteTo(json);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void WriteLine(DeviceView device, string topic, byte[] payload)
    {
        if (topic.EndsWith("/result", StringComparison.Ordinal)) return;
        var window = device.Window;
        var latency = window?.Latency.Milliseconds is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms.P50:F1}/{ms.P95:F1}/{ms.P99:F1}") : "-";
        var energy = device.Energy is { JoulesPerInference: { } joules } reading
            ? string.Create(CultureInfo.InvariantCulture, $"{joules:0.####} J ({reading.Method.ToString().ToLowerInvariant()})")
            : "-";
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{device.Device} {device.State(_view.Silence(device))} {device.Reported?.Running?.ToString() ?? "-"}; top {device.TopClass ?? "-"}; {window?.FramesPerSecond ?? 0:F1} fps; {latency} ms; {energy}; {device.Drops ?? 0} drops");
        output.WriteLine(string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)));
        output.Flush();
    }
}
