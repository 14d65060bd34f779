using System.Text;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;

namespace Dunlin.Agent.Tests.Updates.Fetching;

/// <summary>Row 46 of the promises, for what fetching says of itself.</summary>
public sealed class SecretsTests
{
    private const string Password = "correct-horse";
    private const string Token = "battery-staple";
    private const string Issued = "issued-by-the-realm";
    private const string Signed = "signature-in-a-url";
    private static readonly string Encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"board:{Password}"));

    [Fact]
    public async Task NeitherLogNorReasonNorProgressHoldsASecretHoweverTheFetchFails()
    {
        var blob = new SampleBlob(100_000);
        await using var tokens = new ScriptedServer((_, stream, cancellationToken) => WriteAsync(stream, $$"""200 OK|{"token":"{{Issued}}"}""", cancellationToken));
        string[] answers =
        [
            $"403 Not for {Password} {Token} {Issued}", $"500 {Password}", $"404 {Issued}", $"400 {Signed}", "204 No Content",
            $"401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"{Password}\"",
            $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{tokens.Address}/?key={Signed}\",service=\"{Password}\"",
            $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/?key={Signed}\"",
            $"401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://board:{Password}@nowhere.invalid/?key={Signed}\"",
            $"302 Found\r\nLocation: http://127.0.0.1:1/x?token={Signed}", $"302 Found\r\nLocation: http://u:{Password}@nowhere.invalid/?t={Signed}",
            $"302 Found\r\nLocation: ftp://127.0.0.1/{Signed}", $"302 Found\r\nLocation: http://[{Signed}", $"garbage {Password}\u0001",
            $"206 Partial Content\r\nContent-Range: bytes 5-6/7\r\nETag: \"{Token}\"", $"200 OK\r\nContent-Encoding: {Token}",
        ];
        foreach (var answer in answers)
        {
            await using var server = new ScriptedServer((_, stream, cancellationToken) => WriteAsync(stream, answer, cancellationToken));
            foreach (var credential in (HostCredential[])[new() { Host = server.Host, UserName = "board", Password = Password }, new() { Host = server.Host, Token = Token }])
            {
                foreach (var source in (ArtifactSource[])[FetchSetup.Http(server.Address), FetchSetup.Oci(server.Host)])
                {
                    var limits = FetchSetup.Impatient with { Patience = TimeSpan.FromMilliseconds(50) };
                    using var setup = new FetchSetup(new UpdateOptions { Credentials = [credential, new() { Host = tokens.Host, UserName = "board", Password = Password }] }, limits);
                    var result = await setup.FetchAsync(blob, source);
                    Assert.False(result.IsSuccess, answer);
                    var said = string.Join('\n', [.. setup.Log.All, .. setup.Progress.Select(p => p.ToString()), result.ToString()]);
                    foreach (var secret in (string[])[Password, Token, Issued, Signed, Encoded]) Assert.DoesNotContain(secret, said, StringComparison.OrdinalIgnoreCase);
                }
            }
        }
    }

    [Fact]
    public async Task ASecretThatCannotBeReadIsNamedByItsFileAndOneThatCanIsNotShown()
    {
        using var folder = new TemporaryFolder();
        var credential = new HostCredential { Host = "press.example", TokenFile = Path.Combine(folder.Path, "token") };
        Assert.Contains($"TokenFile of Updates:Credentials for press.example '{credential.TokenFile}'", await credential.ProblemAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await File.WriteAllTextAsync(credential.TokenFile, "\n" + Token, TestContext.Current.CancellationToken);
        var problem = await credential.ProblemAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Its first line is empty", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, problem, StringComparison.Ordinal);
        await File.WriteAllTextAsync(credential.TokenFile, Token, TestContext.Current.CancellationToken);
        Assert.Null(await credential.ProblemAsync(TestContext.Current.CancellationToken));
    }

    private static async Task WriteAsync(Stream stream, string answer, CancellationToken cancellationToken)
    {
        var parts = answer.Split('|', 2);
        await ScriptedServer.HeadAsync(stream, parts[0], cancellationToken);
        if (parts.Length == 2) await stream.WriteAsync(Encoding.UTF8.GetBytes(parts[1]), cancellationToken);
    }
}
