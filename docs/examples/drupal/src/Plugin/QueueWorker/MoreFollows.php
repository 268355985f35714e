<?php

declare(strict_types=1);

namespace Drupal\morefollows\Plugin\QueueWorker;

use Drupal\Core\Queue\QueueWorkerBase;
use Drupal\Core\Queue\SuspendQueueException;
use Drupal\Core\Site\Settings;
use GuzzleHttp\Exception\GuzzleException;
use Psr\Http\Message\ResponseInterface;

/**
 * Hands one article over: its draft, then its alert.
 *
 * @QueueWorker(
 *   id = "morefollows",
 *   title = @Translation("More Follows"),
 *   cron = {"time" = 30}
 * )
 */
final class MoreFollows extends QueueWorkerBase {

  /**
   * {@inheritdoc}
   */
  public function processItem($data): void {
    $once = $data['story'] . '-' . $data['revision'];
    $draft = $this->post('/stories', $data['draft'], "$once-draft");
    // 409: it is there from an earlier try.
    if (!in_array($draft->getStatusCode(), [201, 409], TRUE)) {
      $this->tell($draft);
      return;
    }
    $this->tell($this->post('/stories/' . $data['story'] . '/alerts', new \stdClass(), "$once-send"));
  }

  /**
   * Posts JSON. What may do better later leaves the item in the queue.
   */
  private function post(string $path, array|object $body, string $once): ResponseInterface {
    try {
      $answer = \Drupal::httpClient()->post(Settings::get('morefollows_url') . "/api/v1$path", [
        'json' => $body,
        'headers' => [
          'Authorization' => 'Bearer ' . Settings::get('morefollows_key'),
          'Idempotency-Key' => $once,
        ],
        'timeout' => 8,
        'http_errors' => FALSE,
        'allow_redirects' => FALSE,
      ]);
    }
    catch (GuzzleException $error) {
      throw new SuspendQueueException('More Follows can not be reached.', 0, $error);
    }
    if ($answer->getStatusCode() === 429 || $answer->getStatusCode() >= 500) {
      throw new SuspendQueueException('More Follows answered ' . $answer->getStatusCode());
    }
    return $answer;
  }

  /**
   * Notes what became of it. 403: a colleague has to approve it at the desk.
   */
  private function tell(ResponseInterface $answer): void {
    $told = json_decode((string) $answer->getBody(), TRUE);
    \Drupal::logger('morefollows')->notice('@status @detail', [
      '@status' => $answer->getStatusCode(),
      '@detail' => $told['detail'] ?? $told['state'] ?? '',
    ]);
  }

}
