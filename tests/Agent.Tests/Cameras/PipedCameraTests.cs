using System.Diagnostics;
using Dunlin.Agent.Cameras;
using Dunlin.Agent.Configuration;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Cameras;

public sealed class PipedCameraTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-piped-").FullName;
    private readonly List<Process> _servers = [];

    public PipedCameraTests()
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg is not installed");
    }

    public void Dispose()
    {
        foreach (var server in _servers)
        {
            if (!server.HasExited) server.Kill();
            server.WaitForExit();
            server.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(StreamEncoding.MotionJpeg)]
    [InlineData(StreamEncoding.Auto)]
    public async Task AnRtspCameraWithAPasswordDeliversFrames(StreamEncoding encoding)
    {
        var port = await StartRtspServerAsync("viewer", "s3cret");
        using var camera = new PipedCamera($"rtsp://viewer:s3cret@127.0.0.1:{port}/belt", new CameraOptions { Encoding = encoding, StallMilliseconds = 10_000 });
        camera.StartProcess();
        camera.Take(10);
        Assert.Equal(("ok", 0), (camera.Health.State, camera.Health.CorruptCount));
    }

    [Fact]
    public async Task AWrongPasswordEndsTheProcessAndItsErrorsCanBeRedacted()
    {
        var port = await StartRtspServerAsync("viewer", "s3cret");
        using var camera = new PipedCamera($"rtsp://viewer:wr0ng@127.0.0.1:{port}/belt", new CameraOptions { StallMilliseconds = 500 });
        camera.StartProcess();
        camera.WaitForExit();
        camera.Until(health => health.State == "stalled");
        Assert.Contains("401", camera.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("wr0ng", UrlRedaction.Redact(camera.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void AnHttpCameraDeliversFramesWhateverItsContentType()
    {
        var port = Ports.Free();
        Serve("ffmpeg", ["-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=20", "-c:v", "mjpeg",
            "-f", "mpjpeg", "-listen", "1", $"http://127.0.0.1:{port}/"]);
        UntilListening(port);
        using var camera = new PipedCamera($"http://127.0.0.1:{port}/", new CameraOptions { StallMilliseconds = 10_000 });
        camera.StartProcess();
        camera.Take(10);
        Assert.Equal(0, camera.Health.CorruptCount);
    }

    [Fact]
    public void AProcessKilledInTheMiddleIsReplacedOnTheSamePipeAlsoWithAnotherSize()
    {
        (int Width, int Height)[] sizes = [(320, 240), (160, 120), (320, 240), (160, 120)];
        var film = Path.Combine(_folder, "belt.mp4");
        using var camera = new PipedCamera(film, new CameraOptions { StallMilliseconds = 300 });
        foreach (var (round, size) in sizes.Index())
        {
            if (round > 0) camera.KillProcess();
            File.Move(Film("next.mp4", $"{size.Width}x{size.Height}"), film, overwrite: true);
            camera.StartProcess();
            camera.Take(5, size);
        }

        Assert.Equal("ok", camera.Health.State);
        Assert.InRange(camera.Health.CorruptCount, 0, 3);
    }

    [Fact]
    public void AProgramThatEndsIsAStallAndANewProcessBringsTheCameraBack()
    {
        using var camera = new PipedCamera(Film("belt.mp4", "320x240"), new CameraOptions { Repeat = false, StallMilliseconds = 300 });
        camera.StartProcess();
        camera.WaitForExit();
        camera.Until(health => health.State == "stalled");
        camera.StartProcess();
        camera.Until(health => health.ReconnectCount > 0);
    }

    private string Film(string name, string size)
    {
        var path = Path.Combine(_folder, name);
        using var process = Process.Start("ffmpeg", ["-loglevel", "error", "-nostdin", "-f", "lavfi", "-i", $"testsrc=size={size}:rate=20:duration=1",
            "-pix_fmt", "yuv420p", path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return path;
    }

    private async Task<int> StartRtspServerAsync(string user, string password)
    {
        if (!Directory.EnumerateDirectories("/usr/lib").Any(folder => File.Exists(Path.Combine(folder, "girepository-1.0", "GstRtspServer-1.0.typelib"))))
            Assert.Skip("gir1.2-gst-rtsp-server-1.0 is not installed");
        var script = Path.Combine(AppContext.BaseDirectory, "Cameras", "rtsp_server.py");
        var server = Serve("/usr/bin/python3", [script, user, password]);
        var line = await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        return int.TryParse(line, out var port) ? port : throw new InvalidOperationException($"The RTSP server did not start: {line}");
    }

    private Process Serve(string fileName, string[] arguments)
    {
        var server = Process.Start(new ProcessStartInfo(fileName, arguments) { RedirectStandardOutput = true })!;
        _servers.Add(server);
        return server;
    }

    /// <summary>Looks without connecting, since the server serves one client only.</summary>
    private static void UntilListening(int port) => Assert.True(SpinWait.SpinUntil(
        () => System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == port),
        TimeSpan.FromSeconds(20)), "the server does not listen");
}
