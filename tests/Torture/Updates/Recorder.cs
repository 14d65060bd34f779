using System.Text;
using Dunlin.TestKit.Machine;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Torture.Updates;

/// <summary>One call of the supervisor that changes the state directory, and the copy of the disk before it.</summary>
/// <param name="Number">Of the process, over all its threads.</param>
/// <param name="Call">The call and its file, for example <c>rename /state/journal.json</c>.</param>
/// <param name="Copy">Which copy; calls that changed nothing that matters share one.</param>
internal sealed record RecordedCall(long Number, string Call, string Copy);

/// <summary>
/// Runs the stage's good update with every call announced before it happens, and copies the disk at each.
/// </summary>
internal sealed class Recorder(UpdateStage stage, string agent, string shim, string folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Telemetry on its way is not part of an update.</summary>
    private static readonly string[] Ignored = ["/outbox/telemetry"];

    /// <param name="state">Where the update runs; a copy of the stage's beginning is there.</param>
    /// <param name="copy">Copies the disk as it is now to a path.</param>
    /// <param name="identify">Says which copies are the same.</param>
    /// <param name="cancellationToken">Kills the agent.</param>
    public async Task<IReadOnlyList<RecordedCall>> RunAsync(string state, Action<string> copy, Func<string, string> identify, CancellationToken cancellationToken)
    {
        var index = Path.Combine(folder, "calls.txt");
        if (File.Exists(index)) return [.. File.ReadLines(index).Select(line => line.Split('\t')).Select(part => new RecordedCall(long.Parse(part[0], System.Globalization.CultureInfo.InvariantCulture), part[1], part[2]))];
        Directory.CreateDirectory(folder);
        var (ask, go) = (Path.Combine(folder, "ask"), Path.Combine(folder, "go"));
        File.Delete(ask);
        File.Delete(go);
        await Tool.SucceedAsync("mkfifo", ask, go);
        using var asking = new FileStream(Open(ask), FileAccess.Read, 0);
        using var going = new FileStream(Open(go), FileAccess.Write, 0);
        var calls = new List<RecordedCall>();
        var copies = new Dictionary<string, string>();
        var options = new ShimOptions(shim, "ask", Path.Combine(folder, "shim.log"), Ask: ask, Go: go);
        await using (var device = await DeviceRun.StartAsync(stage, agent, state, stage.Directive("good"), options, cancellationToken))
        {
            var ended = EndAsync(device, cancellationToken);
            var line = new StringBuilder();
            var buffer = new byte[1];
            while (!device.HasExited && await NextAsync(asking, buffer, ended, cancellationToken))
            {
                if (buffer[0] != '\n')
                {
                    line.Append((char)buffer[0]);
                    continue;
                }

                // "12 3 rename /state/journal.json"
                var part = line.ToString().Split(' ', 3);
                line.Clear();
                if (!Ignored.Any(part[2].Contains)) Keep(long.Parse(part[0], System.Globalization.CultureInfo.InvariantCulture), part[2]);
                going.WriteByte(1);
            }
        }

        Keep(calls.Count == 0 ? 1 : calls[^1].Number + 1, "the end");
        await File.WriteAllLinesAsync(index, calls.Select(call => FormattableString.Invariant($"{call.Number}\t{call.Call}\t{call.Copy}")), cancellationToken);
        return calls;

        void Keep(long number, string call)
        {
            var path = Path.Combine(folder, FormattableString.Invariant($"at-{number:00000}"));
            copy(path);
            var identity = identify(path);
            if (copies.TryGetValue(identity, out var same)) File.Delete(path);
            else copies[identity] = same = Path.GetFileName(path);
            calls.Add(new RecordedCall(number, call, same));
        }
    }

    /// <summary>For reading and writing, so that opening does not wait for the other side.</summary>
    private static SafeFileHandle Open(string fifo) => File.OpenHandle(fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);

    /// <summary>The update's outcome, and then a moment for what follows it: the garbage, the idle journal.</summary>
    private static async Task EndAsync(DeviceRun device, CancellationToken cancellationToken)
    {
        _ = await device.EndAsync(Patience, cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
    }

    private static async Task<bool> NextAsync(FileStream asking, byte[] buffer, Task ended, CancellationToken cancellationToken)
    {
        if (ended.IsCompleted) return false;
        var read = asking.ReadAsync(buffer, cancellationToken).AsTask();
        return await Task.WhenAny(read, ended) == read && await read == 1;
    }
}
